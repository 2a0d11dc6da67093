//! `docs/rules.md` is written from the table. `BYOC_WRITE_RULES=1 cargo nextest run --all-features -E 'test(rules::)'`
//! writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use byoc_connector::routing::rules::Source;

use super::*;

const HEAD: &str = "\
# What each kind of request takes

A rep (or Salesforce itself) asks for somebody; `RoutingRequested` tells of it. There are three kinds of request, and seven
things that one can ask for. This is the whole table, as `src/routing/rules.rs` has it: this page is written from it, and a
test compares the two. What is *not yet* routed shows what it will take.

- **Here**: what this version does with such an event.
- **PSR**: whether `POST /route` comes first. Without one, `POST /agentWork` carries a capacity.
- **Offered to**: for whom `POST /agentWork` is called.
- **Rings**: until when an offer is left open.
- **Nobody free**: what happens when nobody can take it now.
- **Decline**, **cancel**: whether a rep may decline it, and whether the rep who asked may cancel it.
- **Result**: what `POST /routingResult` says.
";

fn target_name(of: TargetKind) -> &'static str {
    match of {
        TargetKind::Rep => "rep (`userId`)",
        TargetKind::Queue => "queue (`queueId`)",
        TargetKind::Flow => "flow (`flowId`)",
        TargetKind::Skills => "skills (`skillsList`)",
        TargetKind::Bot => "bot (`botId`)",
        TargetKind::External => "external contact",
        TargetKind::Unnamed => "nobody is named",
    }
}

fn kind_text(kind: RoutingType) -> &'static str {
    match kind {
        RoutingType::Conference => {
            "A rep joins those who are in. The channel must support conferences, a seat must be free, and the rep must \
             be neither in nor being asked already."
        }
        RoutingType::Transfer => {
            "A rep takes over from the one who asks. Without a rep the one who asked keeps the conversation."
        }
        RoutingType::Initial => {
            "A session gets its only rep: the first one, when Salesforce asks for one, or a new one after it went back to \
             `Waiting`. One routing is enough, whichever comes first; a session that has a rep is followed and not routed. \
             `route_waiting = false` leaves all of them alone. No rep waits for an answer, so there is no routing result, \
             and agent work names what the answer to `POST /route` says, or the event where there is none."
        }
    }
}

fn here(rule: &Rule) -> String {
    match rule.admission {
        Admission::Routed => "**routed**".to_owned(),
        Admission::Refused(reason) => format!("refused: \u{201c}{reason}\u{201d}"),
        Admission::NotYet(reason) => format!("not yet: \u{201c}{reason}\u{201d}"),
        Admission::LeftAlone => "left alone".to_owned(),
    }
}

fn offered_to(find: Find) -> &'static str {
    match find {
        Find::NamedRep => "that rep",
        Find::InQueue => "a rep of that queue",
        Find::ByFlow => "the rep or a rep of the queue that the flow names, else of the fallback queue",
        Find::BySkills => "a rep with the skills; additional ones may be dropped",
        Find::ByChannel => "the rep or a rep of the queue that the channel's own setting names",
        Find::Outside => "nobody: the partner's own routing moves the end user",
        Find::Nobody => "\u{2013}",
    }
}

fn rings(rings: Rings) -> &'static str {
    match rings {
        Rings::RingTime => "`ring_seconds`",
        Rings::UntilAccepted => "until accepted",
        Rings::Never => "\u{2013}",
    }
}

fn nobody_free(rule: &Rule) -> &'static str {
    match (rule.find, rule.waits) {
        (Find::Nobody, _) => "\u{2013}",
        (_, Waits::No) => "ends",
        (_, Waits::ForRoom) => "waits for room, then goes by the channel's own setting",
        (_, Waits::WhileSessionWaits) => {
            "the session is routed again by the channel's own setting, for as long as it has no rep"
        }
    }
}

fn result(result: ResultSays) -> &'static str {
    match result {
        ResultSays::Routed => "`success: true` once a rep is asked, else `false` with the reason",
        ResultSays::RoutedOutside => {
            "`success: true` and `externallyRouted: true`, else `false` with the reason"
        }
        ResultSays::Refused => "`success: false` with the reason",
        ResultSays::Nothing => "none",
    }
}

const fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn phase_text(phase: SessionPhase) -> (&'static str, &'static str) {
    match phase {
        SessionPhase::NotRouted => ("not routed", "whoever began it routes it; a wait is over"),
        SessionPhase::Waiting => {
            ("waiting", "routed anew, unless a request of the conversation may still bring a rep")
        }
        SessionPhase::WithRep => ("with a rep", "a wait is over; what is open goes on"),
        SessionPhase::Resting => ("resting", "nothing, until the status changes; a wait is over"),
        SessionPhase::Broken => ("broken", "nothing; it is not taken for over, but a wait is"),
        SessionPhase::Over => ("over", "everything open is called off and cleaned up, and all reps are out"),
    }
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for &kind in &[RoutingType::Conference, RoutingType::Transfer, RoutingType::Initial] {
        write!(text, "\n## {kind}\n\n{}\n\n", kind_text(kind)).unwrap();
        text += "| asked for | here | PSR | offered to | rings | nobody free | decline | cancel | result | source |\n";
        text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
        for (_, of, rule) in rows().filter(|(of_kind, ..)| *of_kind == kind) {
            let sources: Vec<String> =
                rule.sources.iter().map(|source| format!("{}", number(*source))).collect();
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                target_name(of),
                here(&rule),
                yes(rule.route),
                offered_to(rule.find),
                rings(rule.rings),
                nobody_free(&rule),
                yes(rule.declinable),
                yes(rule.cancellable),
                result(rule.result),
                sources.join(", ")
            )
            .unwrap();
        }
    }
    text += "\n## The status of a session\n\n`SessionStatusChanged` tells it.\n\n";
    text += "| status | read as | what follows |\n| --- | --- | --- |\n";
    for status in SessionStatus::ALL {
        let (name, what) = phase_text(SessionPhase::of(*status));
        writeln!(text, "| `{status}` | {name} | {what} |").unwrap();
    }
    text +=
        "\n## Sources\n\nSalesforce's pages, by their titles; 11 is our own choice where they leave one.\n\n";
    for source in Source::ALL {
        let (title, address) = source.page();
        writeln!(text, "{}. [{title}]({address})", number(source)).unwrap();
    }
    text
}

fn number(source: Source) -> usize {
    Source::ALL.iter().position(|one| *one == source).unwrap() + 1
}

#[test]
fn the_page_of_rules_shows_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let now = document();
    if std::env::var_os("BYOC_WRITE_RULES").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, now, "docs/rules.md is of another table: run this test with BYOC_WRITE_RULES=1");
}
