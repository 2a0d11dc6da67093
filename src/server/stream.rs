//! `/v1/stream`: what happens, as server-sent events.
//!
//! A watcher who reads too slowly misses events and is told how many, so that memory stays bounded. What was
//! missed, and what came before, is in `/v1/routing-requests`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Server;
use super::access::Operator;
use super::api::{ChannelSelector, RequestLine};
use super::body::Params;
use super::limits::STREAMS;
use super::refused::Refused;
use crate::service::{EndedView, RequestEnded};

/// How often a silent stream shows that it is alive, so that no proxy ends it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a browser whose stream has ended comes back.
const COME_BACK: Duration = Duration::from_secs(3);

struct Watcher {
    told: Receiver<RequestEnded>,
    closing: watch::Receiver<bool>,
    place: ChannelSelector,
    has_begun: bool,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn stream(
    _: Operator,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
) -> Result<Response, Refused> {
    let permit = Arc::clone(&server.0.streams).try_acquire_owned().map_err(|_| {
        Refused::unavailable(
            format!("{STREAMS} streams are open already"),
            "close an operator page, and try again",
            10,
        )
    })?;
    let watcher = Watcher {
        told: server.service().told(),
        closing: server.0.closing.subscribe(),
        place,
        has_begun: false,
        _permit: permit,
    };
    let events = unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

impl Watcher {
    /// The next event; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.has_begun, true) {
            return Some(event("watching", &json!({})).retry(COME_BACK));
        }
        loop {
            let told = tokio::select! {
                _ = self.closing.wait_for(|closing| *closing) => return None,
                told = self.told.recv() => told,
            };
            match told {
                Ok(RequestEnded { channel, conversation, ending, asked }) if self.place.is_of(&channel) => {
                    let ended = EndedView::new(conversation, &ending, asked);
                    return Some(event("ended", &RequestLine::ended(&channel, ended)));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Some(event("lagged", &json!({ "missed": missed }))),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Event {
    // Ids, words and times are all that is in it: that cannot fail to be JSON.
    Event::default().event(name).json_data(data).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, broadcast};

    use super::*;
    use crate::model::ids::{ConversationId, EventId, OrgId};
    use crate::model::time::Timestamp;
    use crate::routing::{Ending, Outcome, Reason};
    use crate::store::ChannelKey;

    fn told(number: usize, channel: &str) -> RequestEnded {
        RequestEnded {
            channel: ChannelKey { org: OrgId::parse("00D000000000001").unwrap(), channel: channel.into() },
            conversation: ConversationId::parse("chat").unwrap(),
            ending: Ending {
                request: EventId::parse(&format!("request-{number}")).unwrap(),
                at: Timestamp::from_millis(0),
                outcome: Outcome::Declined,
                reason: Reason::Declined,
            },
            asked: None,
        }
    }

    fn watcher(
        of: &broadcast::Sender<RequestEnded>,
        place: ChannelSelector,
    ) -> (watch::Sender<bool>, Watcher) {
        let (close, closing) = watch::channel(false);
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (close, Watcher { told: of.subscribe(), closing, place, has_begun: true, _permit: permit })
    }

    /// What the next event says, as axum keeps it.
    async fn next(watcher: &mut Watcher) -> String {
        format!("{:?}", watcher.next().await.expect("the stream goes on"))
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_told_how_many_were_missed_and_goes_on() {
        let service = broadcast::Sender::new(4);
        let (_close, mut watcher) = watcher(&service, ChannelSelector::default());
        for number in 0..10 {
            service.send(told(number, "Acme")).unwrap();
        }
        let lagged = next(&mut watcher).await;
        assert!(lagged.contains("lagged") && lagged.contains("missed") && lagged.contains('6'), "{lagged}");
        for number in 6..10 {
            let ended = next(&mut watcher).await;
            assert!(ended.contains(&format!("request-{number}")), "{ended}");
        }
        drop(service);
        assert!(watcher.next().await.is_none(), "the service has stopped");
    }

    #[tokio::test]
    async fn a_watcher_of_one_channel_hears_of_no_other() {
        let service = broadcast::Sender::new(4);
        let place = ChannelSelector { org: None, channel: Some("Acme".to_owned()) };
        let (close, mut watcher) = watcher(&service, place);
        service.send(told(1, "Other")).unwrap();
        service.send(told(2, "Acme")).unwrap();
        assert!(next(&mut watcher).await.contains("request-2"));
        close.send_replace(true);
        assert!(watcher.next().await.is_none());
    }
}
