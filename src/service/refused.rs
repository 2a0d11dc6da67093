//! What to say of reps whom Salesforce refuses again and again: one notice a channel, however many they are.

use crate::connector::RefusedRep;
use crate::model::error_codes::ErrorCode;
use crate::notices::{Notice, Subject};
use crate::store::ChannelKey;

/// How many reps are named; the log has all of them.
const NAMED: usize = 5;

/// The notice about those reps, who has been refused for the longest first; `None` where there are none.
pub(super) fn notice(key: &ChannelKey, reps: &[RefusedRep]) -> Option<Notice> {
    let first = reps.first()?;
    let named = reps.iter().take(NAMED).map(|RefusedRep { rep, times, code, .. }| match code {
        ErrorCode(0) => format!("{rep} ({times} times, without a code)"),
        code => format!("{rep} ({times} times, {code}: {})", code.meaning().trim_end_matches('.')),
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match reps.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let count = match reps.len() {
        1 => "a rep".to_owned(),
        several => format!("{several} reps"),
    };
    Some(Notice {
        subject: Subject::of_channel("reps-refused", key.org, &key.channel),
        since: Some(first.since),
        problem: format!(
            "Salesforce refuses every offer to {count}; other reps are offered instead: {named}{more}"
        ),
        hint: Some(format!(
            "{} This notice ends with the next offer that Salesforce accepts, or a day after the last refusal.",
            first.code.advice()
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{OrgId, RepId};
    use crate::model::time::Timestamp;

    #[test]
    fn the_notice_is_as_long_for_a_thousand_as_for_six() {
        let key = ChannelKey { org: OrgId::parse("00DHs0000000001").unwrap(), channel: "Acme".into() };
        let rep = |number: i64| RefusedRep {
            rep: RepId::parse(&format!("005{number:012}")).unwrap(),
            times: 2,
            since: Timestamp::from_millis(number),
            code: ErrorCode(15106),
        };
        let told = |count: i64| notice(&key, &(1..=count).map(rep).collect::<Vec<_>>());
        assert_eq!(told(0), None);
        let one = told(1).unwrap();
        assert!(one.problem.contains("every offer to a rep; "), "{}", one.problem);
        assert!(one.problem.contains("005000000000001") && one.problem.contains("(2 times, 15106: "));
        assert_eq!(one.since, Some(Timestamp::from_millis(1)));
        let many = told(1_000).unwrap();
        assert!(many.problem.contains("to 1000 reps") && many.problem.ends_with(", and 995 more"));
        assert!(!many.problem.contains("005000000000006"), "{}", many.problem);
    }
}
