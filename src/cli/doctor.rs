//! `byoc doctor`: why an org refuses, step by step.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::output::style;
use super::{ConfigFile, Error, Outcome, Output, running};
use crate::doctor::{Finding, Step, examine};
use crate::model::time::{Clock, SystemClock};

/// One line for the list of commands.
pub const ABOUT: &str = "Ask each org why it refuses: clock, login, calls, events, store";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc doctor
  byoc doctor --config byoc.toml --json

It changes nothing in an org. Exit code 0: all is well; 1: something was found.";

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

/// Looks at everything, and says what it found.
///
/// # Errors
/// Where the configuration is mistaken.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let serving = args.config.load_to_serve()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    let findings = runtime.block_on(async {
        let plans = running::orgs(&serving, &clock)?;
        let mut findings = vec![store(&serving.store.path)];
        show(output, &findings)?;
        for (org, plan) in serving.orgs.iter().zip(&plans) {
            let found = examine(org, plan, &clock).await;
            show(output, &found)?;
            findings.extend(found);
        }
        Ok::<_, Error>(findings)
    })?;
    let problems = findings.iter().filter(|finding| !finding.ok).count();
    output.json(&json!({ "ok": problems == 0, "findings": findings }))?;
    if problems == 0 {
        output.line("All is well.")?;
        return Ok(Outcome::Done);
    }
    let plural = if problems == 1 { "" } else { "s" };
    output.line(format_args!("{problems} problem{plural} found."))?;
    Ok(Outcome::No)
}

fn show(output: &Output, findings: &[Finding]) -> Result<(), Error> {
    for Finding { place, step, ok, found, advice } in findings {
        let (mark, word) = if *ok { (style::GOOD, "ok     ") } else { (style::BAD, "problem") };
        let step = match step {
            Step::Clock => "clock",
            Step::Token => "token",
            Step::Channel => "channel",
            Step::Calls => "calls",
            Step::Events => "events",
            Step::Store => "store",
        };
        let at = if place == step { step.to_owned() } else { format!("{place}, {step}") };
        output.line(format_args!("{mark}{word}{mark:#}  {at}: {found}"))?;
        if let Some(advice) = advice {
            output.line(format_args!("         {advice}"))?;
        }
    }
    output.flush()
}

/// Whether a file can be made where the store is to be. The store itself is left alone: a connector may have it.
fn store(path: &Path) -> Finding {
    let mut probe = path.as_os_str().to_owned();
    probe.push(".doctor");
    let made = std::fs::File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
    let shown = path.display();
    match made {
        Ok(()) => Finding::fine("store", Step::Store, format!("files can be made beside {shown}")),
        Err(error) => {
            let advice = "give the user that byoc runs as the right to write in that folder, and make room on its disk";
            Finding::problem(
                "store",
                Step::Store,
                format!("no file can be made beside {shown}: {error}"),
                advice,
            )
        }
    }
}
