//! The `byoc` command: everything is in `byoc_connector::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    byoc_connector::cli::main()
}
