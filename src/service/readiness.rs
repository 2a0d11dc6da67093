//! Whether the service can do its work, part by part.

use std::time::Duration;

use serde::Serialize;

use super::running::RunningChannel;
use super::tokens::WatchedTokens;
use crate::events::source::State;
use crate::model::ids::OrgId;
use crate::model::time::{self, Timestamp};
use crate::notices::{Notice, Subject};
use crate::store::{ChannelKey, DeadLetterCount, Health};

/// A part that must be fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Events come in.
    Stream,
    /// What is decided becomes durable.
    Store,
    /// Salesforce lets us in.
    Token,
}

/// How one part is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Which.
    pub what: Part,
    /// Whose: the org; none for the store, which all share.
    pub org: Option<OrgId>,
    /// Whose: the channel, for a stream.
    pub channel: Option<String>,
    /// Whether it is fine.
    pub ok: bool,
    /// Since when it is as it is, where that is known.
    #[serde(serialize_with = "time::as_text_or_null")]
    pub since: Option<Timestamp>,
    /// What is wrong, in words.
    pub problem: Option<String>,
}

/// How all of it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether every part is fine.
    pub ready: bool,
    /// The parts.
    pub checks: Vec<Check>,
    /// What somebody should look at although the service works.
    pub notices: Vec<Notice>,
}

/// Events come in where the stream is connected and does not wait for a schema.
fn of_stream(key: &ChannelKey, stream: &State) -> Check {
    let problem = match (stream.connected, &stream.held) {
        (false, _) => Some(stream.problem.clone().unwrap_or_else(|| "not connected yet".to_owned())),
        (true, held) => held.clone(),
    };
    Check {
        what: Part::Stream,
        org: Some(key.org),
        channel: Some(key.channel.to_string()),
        ok: problem.is_none(),
        since: stream.held_since.filter(|_| stream.connected).or(stream.since),
        problem,
    }
}

/// What was set aside stays to be told: somebody has to look at it.
fn set_aside(key: &ChannelKey, stream: &State) -> Option<Notice> {
    let why = stream.last_set_aside.as_ref()?;
    let count = stream.set_aside;
    Some(Notice {
        subject: Subject::of_channel("events-set-aside", key.org, &key.channel),
        since: None,
        problem: format!("{count} events could not be read since the start; the last one: {why}"),
        hint: Some(
            "they are kept beside the store, in the file ending in -set-aside.jsonl; what they asked for was not done"
                .to_owned(),
        ),
    })
}

pub(super) fn of(
    channels: &[RunningChannel],
    orgs: &[(OrgId, WatchedTokens)],
    store: &Health,
    mut notices: Vec<Notice>,
    now: Timestamp,
) -> Readiness {
    notices.extend(channels.iter().filter_map(|running| owed_for_long(running, now)));
    notices.extend(channels.iter().filter_map(dead_letters));
    let mut checks = vec![Check {
        what: Part::Store,
        org: None,
        channel: None,
        ok: store.failing.is_none(),
        since: store.failing_since,
        problem: store.failing.as_ref().map(ToString::to_string),
    }];
    for (org, tokens) in orgs {
        let problem = tokens.problem();
        checks.push(Check {
            what: Part::Token,
            org: Some(*org),
            channel: None,
            ok: problem.is_none(),
            since: problem.as_ref().and_then(|(_, since)| *since),
            problem: problem.map(|(problem, _)| problem),
        });
    }
    for running in channels.iter().filter(|running| running.is_ours()) {
        let stream = running.stream();
        let mut check = of_stream(running.key(), &stream);
        if running.is_over() {
            check.ok = false;
            check.problem = Some("the channel has ended and is being started again".to_owned());
        }
        checks.push(check);
        notices.extend(set_aside(running.key(), &stream));
    }
    Readiness { ready: checks.iter().all(|check| check.ok), checks, notices }
}

/// What a channel owes, once it is older than the channel's setting.
fn owed_for_long(running: &RunningChannel, now: Timestamp) -> Option<Notice> {
    let owes = running.owes()?;
    let alert = Duration::from_secs(running.settings().policy.owed_alert_seconds.into());
    (now.since(owes.oldest) >= alert).then(|| Notice {
        subject: Subject::of_channel("owed", running.key().org, &running.key().channel),
        since: Some(owes.oldest),
        problem: format!(
            "{} clean-up{} at Salesforce failed: reps may still ring",
            owes.count,
            if owes.count == 1 { "" } else { "s" }
        ),
        hint: Some("see GET /v1/owed: it lists each, with Salesforce's answer".to_owned()),
    })
}

/// What the partner did not take stays to be told: somebody has to send it again, or drop it.
fn dead_letters(running: &RunningChannel) -> Option<Notice> {
    let DeadLetterCount { count, oldest } = running.dead_letters().count();
    (count > 0).then(|| Notice {
        subject: Subject::of_channel("dead-letters", running.key().org, &running.key().channel),
        since: oldest,
        problem: format!(
            "the partner did not take {count} thing{} that it was told",
            if count == 1 { "" } else { "s" }
        ),
        hint: Some(
            "GET /v1/dead-letters lists each with the reason; POST /v1/dead-letters/{id}/resend sends one again".to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::interaction::{AccessToken, TokenSource, auth};
    use crate::model::time::Clock;

    /// A machine whose second is set by hand, and a login that is refused in the odd ones.
    #[derive(Default)]
    struct Odd(AtomicI64);

    impl Clock for Odd {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst) * 1_000)
        }
    }

    #[async_trait]
    impl TokenSource for Odd {
        async fn token(&self) -> Result<AccessToken, auth::Error> {
            match self.0.load(Ordering::SeqCst) % 2 {
                0 => Ok(AccessToken::new("a-token")),
                _ => Err(auth::Error::Unavailable("refused".to_owned())),
            }
        }

        async fn refresh(&self, _: &AccessToken) -> Result<AccessToken, auth::Error> {
            self.token().await
        }
    }

    #[tokio::test]
    async fn an_org_that_gives_tokens_again_is_ready_again_and_since_then() {
        let org = OrgId::parse("00DHs0000000001").unwrap();
        let odd = Arc::new(Odd::default());
        let orgs = [(org, WatchedTokens::new(org, odd.clone(), odd.clone()))];
        let check = || {
            let readiness = of(&[], &orgs, &Health::default(), Vec::new(), odd.now());
            let token = readiness.checks.iter().find(|check| check.what == Part::Token).unwrap();
            assert_eq!(readiness.ready, token.ok, "nothing else is wrong");
            (token.ok, token.since.map(Timestamp::as_millis), token.problem.is_some())
        };
        assert_eq!(check(), (true, None, false), "nobody has asked for one");
        for (by_refresh, first) in [(false, 1), (true, 5)] {
            for second in [first, first + 2] {
                odd.0.store(second, Ordering::SeqCst);
                orgs[0].1.token().await.unwrap_err();
                assert_eq!(check(), (false, Some(first * 1_000), true), "since it began");
            }
            odd.0.store(first + 3, Ordering::SeqCst);
            if by_refresh {
                orgs[0].1.refresh(&AccessToken::new("rejected")).await.unwrap();
            } else {
                orgs[0].1.token().await.unwrap();
            }
            assert_eq!(check(), (true, None, false));
        }
    }

    #[test]
    fn a_stream_that_waits_is_not_ready_and_what_was_set_aside_is_shown() {
        let org = OrgId::parse("00DHs0000000001").unwrap();
        let key = ChannelKey { org, channel: "Acme".into() };
        let at = |second: i64| Some(Timestamp::from_millis(second * 1_000));
        let well = State { connected: true, since: at(1), ..State::default() };
        assert!(of_stream(&key, &well).ok);
        assert_eq!(set_aside(&key, &well), None);
        let held = State { held: Some("its schema".to_owned()), held_since: at(2), ..well.clone() };
        let check = of_stream(&key, &held);
        assert_eq!((check.ok, check.since, check.problem.as_deref()), (false, at(2), Some("its schema")));
        let cut = of_stream(&key, &State { connected: false, problem: Some("cut".to_owned()), ..held });
        assert_eq!((cut.ok, cut.since, cut.problem.as_deref()), (false, at(1), Some("cut")));
        let lost = State { set_aside: 3, last_set_aside: Some("no".to_owned()), ..well };
        assert!(of_stream(&key, &lost).ok, "events come in");
        let notice = set_aside(&key, &lost).unwrap();
        assert!(notice.problem.contains("3 events could not be read"), "{}", notice.problem);
    }
}
