//! What can go wrong on the command line, and how it is said: one line each on stderr, exit code 2.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::style::{self, Colour};
use crate::config::{Mistake, Source};

/// Why a command could not do its work.
///
/// A command that ran and whose answer is no is not an error: that is [`super::Outcome::No`].
#[derive(Debug)]
pub struct Error(Kind);

#[derive(Debug)]
enum Kind {
    /// What is wrong with the arguments, a file or the configuration; each is one line.
    Wrong(Vec<Problem>),
    /// Whoever read stdout has gone away.
    ReaderGone,
}

/// One thing that is wrong, and where, as far as that is known.
#[derive(Debug, Default, Serialize)]
struct Problem {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// How it is said on stderr.
    #[serde(skip)]
    said: String,
}

impl Problem {
    fn of(problem: &impl Display) -> Self {
        let said = problem.to_string();
        Self { error: OneLine(&said).to_string(), said, ..Self::default() }
    }

    fn in_configuration(mistake: &Mistake) -> Self {
        let mut problem = Self { key: mistake.key.clone(), said: mistake.to_string(), ..Self::default() };
        problem.error = OneLine(&mistake.problem).to_string();
        match &mistake.source {
            Source::File(path, line) => {
                problem.file = Some(path.display().to_string());
                problem.line = *line;
            }
            Source::Variable(name) => problem.variable = Some(name.clone()),
        }
        problem
    }
}

impl Error {
    /// One mistake: what, where, and what would be right.
    pub fn new(problem: impl Display) -> Self {
        Self(Kind::Wrong(vec![Problem::of(&problem)]))
    }

    /// Several mistakes that were found together.
    pub fn several<P: Display>(problems: impl IntoIterator<Item = P>) -> Self {
        Self(Kind::Wrong(problems.into_iter().map(|problem| Problem::of(&problem)).collect()))
    }

    /// Mistakes in the configuration, each with its place.
    pub(super) fn mistaken(mistakes: &[Mistake]) -> Self {
        Self(Kind::Wrong(mistakes.iter().map(Problem::in_configuration).collect()))
    }

    /// It as JSON: `{"ok": false, "errors": […]}`; none where nobody is left to read it.
    pub(super) fn as_json(&self) -> Option<impl Serialize> {
        #[derive(Serialize)]
        struct ErrorReport<'a> {
            ok: bool,
            errors: &'a [Problem],
        }
        match &self.0 {
            Kind::Wrong(errors) => Some(ErrorReport { ok: false, errors }),
            Kind::ReaderGone => None,
        }
    }

    /// Stdout could not be written. A closed pipe is no mistake of anybody's.
    pub(super) fn writing(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self(Kind::ReaderGone),
            _ => Self::new(format_args!("cannot write to stdout: {error}")),
        }
    }

    /// A misuse that clap found, without its usage text.
    pub(super) fn misuse(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let paragraphs: Vec<String> = text
            .split("\n\n")
            .filter(|paragraph| !paragraph.starts_with("Usage:"))
            .map(|paragraph| paragraph.strip_prefix("For more information, ").unwrap_or(paragraph))
            .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|paragraph| !paragraph.is_empty())
            .collect();
        Self::new(paragraphs.join("; ").trim_end_matches('.'))
    }

    /// Prints it on stderr, one line a mistake, and gives the exit code.
    pub(super) fn report(&self, colour: Colour) -> ExitCode {
        let Kind::Wrong(problems) = &self.0 else { return ExitCode::SUCCESS };
        let stderr = io::stderr();
        let mut stderr = anstream::AutoStream::new(stderr.lock(), colour.choice_for(&io::stderr()));
        let bad = style::BAD;
        for problem in problems {
            // With stderr gone there is nowhere left to complain to; the exit code still tells.
            writeln!(stderr, "{bad}error{bad:#}: {}", OneLine(&problem.said)).ok();
        }
        ExitCode::from(2)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Wrong(problems) => {
                let lines: Vec<&str> = problems.iter().map(|problem| problem.said.as_str()).collect();
                f.write_str(&lines.join("\n"))
            }
            Kind::ReaderGone => f.write_str("whoever read stdout has gone away"),
        }
    }
}

impl std::error::Error for Error {}

/// A text without line breaks and control characters: what came from a file must not write over the
/// terminal or pass for a second error.
struct OneLine<'a>(&'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.0.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            for c in line.chars() {
                fmt::Write::write_char(f, if c.is_control() { '\u{fffd}' } else { c })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_it_quotes() {
        assert_eq!(OneLine("bad file:\n  |\n  \u{1b}[31mred\n\n").to_string(), "bad file: | \u{fffd}[31mred");
    }

    #[test]
    fn a_misuse_keeps_the_reason_and_the_tip_and_drops_the_usage() {
        let error = super::super::command().try_get_matches_from(["byoc", "--jsn"]).unwrap_err();
        let said = Error::misuse(&error).to_string();
        assert!(said.starts_with("unexpected argument '--jsn' found; tip: "), "{said}");
        assert!(!said.contains("Usage"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }
}
