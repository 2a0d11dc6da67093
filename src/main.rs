//! The `byoc` command.

fn main() {}
