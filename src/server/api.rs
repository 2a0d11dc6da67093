//! The API below `/v1`: each function is one operation of `openapi/connector.yaml`.

mod answer;
mod by_hand;
mod configuration;
mod conversations;
mod dead_letters;
mod line;
mod operator;
mod owed;
mod page;
mod partner;
mod select;
mod unreadable;

pub(super) use by_hand::{close_agent_work, end_conversation, inactivate_conversation, remove_participant};
pub(super) use configuration::reload;
pub(super) use conversations::{begin, conversation};
pub(super) use dead_letters::{dead_letters, drop_dead_letter, resend};
pub(super) use line::RequestLine;
pub(super) use operator::{request, requests};
pub(super) use owed::{end_request, owed, strike_out, try_owed};
pub(super) use page::{agent_work, contacts, presence, session};
pub(super) use partner::{change_rep, events, remove_rep, reps};
pub(super) use select::ChannelSelector;
pub(super) use unreadable::{give_up, unreadable};

/// Reads a body as each of those that are taken, for the fuzzer.
#[cfg(fuzzing)]
pub fn read_bodies(body: &[u8]) {
    use super::body::parse;
    drop(parse::<page::ContactsAsked>(body));
    drop(parse::<page::AgentWorkTold>(body));
    drop(parse::<page::PresenceTold>(body));
    drop(parse::<conversations::FirstMessageBrought>(body));
    drop(parse::<crate::people::RepChange>(body));
    drop(parse::<crate::model::roster::Rep>(body));
    drop(parse::<serde::de::IgnoredAny>(body));
}
