//! `byoc doctor`: why an org refuses, step by step.

use std::sync::Arc;

use serde_json::json;

use super::output::printable;
use super::style;
use super::{ConfigFile, Error, Outcome, Output};
use crate::doctor::{Finding, examine, here, partner};
use crate::host::Prepared;
use crate::model::time::{Clock, SystemClock};

/// One line for the list of commands.
pub const ABOUT: &str = "Check everything that the connector needs: org, webhooks, keys, store, address";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc doctor
  byoc doctor --config byoc.toml --json

It changes nothing in an org; each webhook gets a probe without data.
Exit code 0: no problem found; 1: problems found. What it cannot check is marked look.";

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
        let plans = Prepared::new(serving.clone(), &clock)?.orgs;
        let mut findings = here(&serving).await;
        findings.extend(partner(&serving, &clock).await);
        show(output, &findings)?;
        for (org, plan) in serving.orgs.iter().zip(&plans) {
            let found = examine(org, plan, &clock).await;
            show(output, &found)?;
            findings.extend(found);
        }
        Ok::<_, Error>(findings)
    })?;
    let problems = findings.iter().filter(|finding| !finding.ok).count();
    let to_look_at = findings.iter().filter(|finding| finding.ok && finding.advice.is_some()).count();
    output.json(&json!({ "ok": problems == 0, "findings": findings }))?;
    let by_hand = match to_look_at {
        0 => String::new(),
        1 => " 1 thing to check by hand.".to_owned(),
        several => format!(" {several} things to check by hand."),
    };
    if problems == 0 {
        let verdict = if to_look_at == 0 { "All is well." } else { "No problem found." };
        output.line(format_args!("{verdict}{by_hand}"))?;
        return Ok(Outcome::Done);
    }
    let plural = if problems == 1 { "" } else { "s" };
    output.line(format_args!("{problems} problem{plural} found.{by_hand}"))?;
    Ok(Outcome::No)
}

fn show(output: &Output, findings: &[Finding]) -> Result<(), Error> {
    for Finding { place, step, ok, found, advice } in findings {
        let (mark, word) = match (ok, advice) {
            (true, None) => (style::GOOD, "ok     "),
            (true, Some(_)) => (style::CAUTION, "look   "),
            (false, _) => (style::BAD, "problem"),
        };
        let step = step.as_str();
        let at = if place == step { step.to_owned() } else { format!("{place}, {step}") };
        output.line(format_args!("{mark}{word}{mark:#}  {at}: {}", printable(found)))?;
        if let Some(advice) = advice {
            output.line(format_args!("         {}", printable(advice)))?;
        }
    }
    output.flush()
}
