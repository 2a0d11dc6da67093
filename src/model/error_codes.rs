//! Salesforce's error codes: what each one means in our words, whether another try is worth it, and
//! what an operator should do.
//!
//! Knows the numbers and nothing of HTTP. Salesforce adds codes, so any number is an [`ErrorCode`].

mod table;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use table::About;

use super::words::SessionErrorReason;

/// A code of the Interaction Service's error body, known here or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Salesforce failed, and says no more than that.
    pub const INTERNAL: Self = Self(500);
    /// The access token is not taken.
    pub const TOKEN_NOT_VALID: Self = Self(10004);
    /// The org is being migrated and takes no changes for now.
    pub const READ_ONLY: Self = Self(10019);
    /// The conversation was in another state than Salesforce expected.
    pub const PRECONDITION_FAILED: Self = Self(10055);
    /// Salesforce stopped in the middle of the conversation's work.
    pub const ABORTED: Self = Self(10056);
    /// There is no such participant.
    pub const PARTICIPANT_NOT_FOUND: Self = Self(10036);
    /// There is no such session.
    pub const SESSION_NOT_FOUND: Self = Self(10071);
    /// A message with that id is there already.
    pub const MESSAGE_EXISTS: Self = Self(10073);
    /// There is no such agent work.
    pub const WORK_NOT_VALID: Self = Self(10082);
    /// What was to be changed is in a state that does not allow it: an offer that is not open any more.
    pub const STATUS_NOT_VALID: Self = Self(10085);
    /// Something behind the Interaction Service took too long.
    pub const DOWNSTREAM_TIMEOUT: Self = Self(10094);
    /// The rep already holds an open offer of that work item.
    pub const OFFER_EXISTS: Self = Self(15109);
    /// There is no messaging session of that work item id.
    pub const WORK_ITEM_NOT_FOUND: Self = Self(15111);

    /// The code that says the same as a word of `errorReason`; none where no code does.
    ///
    /// No document pairs them. That there is no session, and that the conversation has none that is not over, are the
    /// same to whoever wants it over.
    pub const fn of_reason(reason: SessionErrorReason) -> Option<Self> {
        use SessionErrorReason as Reason;
        Some(match reason {
            Reason::ActiveConversationNotFound | Reason::SessionNotFound => Self::SESSION_NOT_FOUND,
            Reason::InternalError => Self::INTERNAL,
            Reason::PermissionDenied => Self(10099),
            Reason::ChannelAddressNotFound => Self(10017),
            Reason::EndUserNotFound => Self(10105),
            Reason::ConversationPreconditionFailed => Self::PRECONDITION_FAILED,
            Reason::ConversationProcessingAborted => Self::ABORTED,
            Reason::ChannelAddressIsInactive => Self(10031),
            Reason::CustomerError => Self(10058),
            Reason::NoAccess => Self(10104),
            Reason::EndSessionFailed | Reason::OrgNotFound => return None,
        })
    }

    /// Every code that is known here, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|entry| Self(entry.code))
    }

    /// What the code means: one sentence, for an operator.
    pub fn meaning(self) -> &'static str {
        self.entry().map_or("This release does not know the code.", |entry| entry.meaning)
    }

    /// What an operator should do about it.
    pub fn advice(self) -> &'static str {
        self.entry().map_or(
            "Read the message that came with the code, and look the code up in Salesforce's documentation.",
            |entry| entry.advice,
        )
    }

    /// What it is about. A code that is not known here is about the request, so that it ends it: a new one
    /// may hide a setting that somebody must correct.
    pub fn about(self) -> About {
        self.entry().map_or(About::Request, |entry| entry.about)
    }

    /// The code as a label of a number, of which there must not be more and more: one that is not known here is
    /// `other`.
    pub fn label(self) -> String {
        if self.is_known() { self.to_string() } else { "other".to_owned() }
    }

    /// Whether this release knows the code.
    pub fn is_known(self) -> bool {
        self.entry().is_some()
    }

    fn entry(self) -> Option<&'static table::Entry> {
        let at = table::TABLE.binary_search_by_key(&self.0, |entry| entry.code).ok()?;
        table::TABLE.get(at)
    }

    /// Whether the same call may be carried out if it is made again (PROTOCOL: "Failures of a call").
    pub const fn retry(self) -> bool {
        matches!(
            self,
            Self::READ_ONLY
                | Self::PRECONDITION_FAILED
                | Self::ABORTED
                | Self::DOWNSTREAM_TIMEOUT
                | Self::INTERNAL
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_each_code_once() {
        let codes: Vec<_> = ErrorCode::all().collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn every_code_has_one_sentence_of_meaning_and_says_what_to_do() {
        for code in ErrorCode::all() {
            let (meaning, advice) = (code.meaning(), code.advice());
            assert!(
                meaning.ends_with('.') && !meaning.trim_end_matches('.').contains(". "),
                "{code}: {meaning}"
            );
            assert!(advice.len() > 20 && advice.ends_with(['.', ')']), "{code}: {advice}");
            assert!(!meaning.contains("  ") && !advice.contains("  "), "{code}");
        }
    }

    #[test]
    fn five_codes_are_worth_another_try() {
        let retried: Vec<u32> = ErrorCode::all().filter(|code| code.retry()).map(|code| code.0).collect();
        assert_eq!(retried, [500, 10019, 10055, 10056, 10094]);
    }

    #[test]
    fn four_codes_are_about_one_rep() {
        let about: Vec<u32> =
            ErrorCode::all().filter(|code| code.about() == About::Rep).map(|code| code.0).collect();
        assert_eq!(about, [15105, 15106, 15109, 15112]);
    }

    #[test]
    fn a_code_of_tomorrow_is_final_and_says_so() {
        let code = ErrorCode(4_000_000_000);
        assert_eq!((code.label().as_str(), ErrorCode::OFFER_EXISTS.label().as_str()), ("other", "15109"));
        assert!(!code.retry());
        assert_eq!(code.about(), About::Request);
        assert!(code.meaning().contains("does not know"));
        assert!(code.advice().contains("message"));
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "says that it was skipped")]
    fn every_code_that_salesforce_publishes_is_here_in_our_own_words() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/error-codes.csv");
        let Ok(csv) = std::fs::read_to_string(path) else {
            println!("skipped: {path} is not at hand");
            return;
        };
        let plain = |text: &str| text.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
        let mut published: Vec<u32> = Vec::new();
        for line in csv.lines().skip(1) {
            let mut columns = line.splitn(3, ',');
            let code = ErrorCode(columns.next().unwrap().parse().unwrap());
            let message = columns.nth(1).unwrap();
            published.push(code.0);
            for ours in [code.meaning(), code.advice()] {
                assert_ne!(plain(ours), plain(message), "{code} has Salesforce's own text");
            }
        }
        published.sort_unstable();
        let ours: Vec<u32> = ErrorCode::all().map(|code| code.0).collect();
        assert_eq!(ours, published);
    }
}
