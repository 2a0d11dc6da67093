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
use super::api::{Place, RequestLine};
use super::body::Params;
use super::refused::Refused;
use crate::service::{EndedView, Told};

/// How many may watch at once.
pub const STREAMS: usize = 64;

/// How often a silent stream shows that it is alive, so that no proxy ends it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a browser whose stream has ended comes back.
const COME_BACK: Duration = Duration::from_secs(3);

struct Watcher {
    told: Receiver<Told>,
    closing: watch::Receiver<bool>,
    place: Place,
    has_begun: bool,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn stream(
    _: Operator,
    State(server): State<Server>,
    Params(place): Params<Place>,
) -> Result<Response, Refused> {
    let permit = Arc::clone(&server.0.streams).try_acquire_owned().map_err(|_| {
        Refused::unavailable(format!("{STREAMS} are watching already"), "close a page, and try again", 10)
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
                Ok(Told { channel, conversation, ending }) if self.place.is_of(&channel) => {
                    let ended = EndedView::new(conversation, &ending);
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
