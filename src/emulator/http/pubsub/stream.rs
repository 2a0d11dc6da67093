//! One open stream.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

use super::super::Emulator;
use super::status::{no_such_topic, refused, rpc_id, unavailable};
use super::streams::StreamEnd;
use crate::proto::{FetchRequest, FetchResponse, ReplayPreset};

/// The most that one request may ask for.
const MOST_REQUESTED: i32 = 100;

type Responses = mpsc::Sender<Result<FetchResponse, Status>>;

/// Serves a stream until it ends, for whatever reason.
pub(super) async fn run(emulator: Emulator, requests: Streaming<FetchRequest>, responses: Responses) {
    let endings = emulator.0.endings.subscribe();
    let _open = Open::new(emulator.clone());
    let mut closing = emulator.0.closing.subscribe();
    let gone = responses.clone();
    let ended = tokio::select! {
        ended = serve(emulator, requests, endings, &responses) => ended,
        _ = closing.wait_for(|closing| *closing) => Ok(()),
        () = gone.closed() => return,
    };
    if let Err(status) = ended {
        // Whoever has hung up meanwhile does not hear it.
        drop(responses.send(Err(status)).await);
    }
}

/// Counts as open for as long as it lives.
struct Open(Emulator);

impl Open {
    fn new(emulator: Emulator) -> Self {
        emulator.0.streams.send_modify(|counts| {
            counts.open = counts.open.saturating_add(1);
            counts.begun = counts.begun.saturating_add(1);
        });
        Self(emulator)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.streams.send_modify(|counts| counts.open = counts.open.saturating_sub(1));
    }
}

async fn serve(
    emulator: Emulator,
    mut requests: Streaming<FetchRequest>,
    mut endings: watch::Receiver<StreamEnd>,
    responses: &Responses,
) -> Result<(), Status> {
    let mut told = emulator.0.told.subscribe();
    let Some(first) = requests.message().await? else { return Ok(()) };
    let form = emulator.with_state(|state, _| state.salesforce.settings().stream.clone());
    let keep_alive = Duration::from_millis(form.keep_alive_milliseconds);
    let ask_within = Duration::from_millis(form.ask_within_milliseconds);
    let topic = first.topic_name.clone();
    let mut stream =
        Stream { place: begin(&emulator, &first)?, emulator, pending: asked(&first)?, responses };
    let mut asking = true;
    let mut said = Instant::now();
    let mut asked_last = Instant::now();
    loop {
        told.mark_unchanged();
        // Who was told to end says no more, whatever came after.
        let is_over = endings.has_changed().unwrap_or(true);
        if !is_over && stream.deliver().await? {
            (said, asked_last) = (Instant::now(), Instant::now());
            continue;
        }
        tokio::select! {
            biased;
            _ = endings.changed() => {
                return match *endings.borrow_and_update() {
                    StreamEnd::Quietly => Ok(()),
                    StreamEnd::Unavailable => Err(unavailable("the stream was told to end")),
                };
            }
            request = requests.message(), if asking => match request? {
                Some(more) => {
                    if !more.topic_name.is_empty() && more.topic_name != topic {
                        return Err(invalid("topic.invalid", "the topic of a stream cannot change"));
                    }
                    stream.pending = stream.pending.saturating_add(asked(&more)?);
                }
                None => asking = false,
            },
            () = tokio::time::sleep_until(later(said, keep_alive)) => {
                stream.keep_alive().await?;
                said = Instant::now();
            }
            () = tokio::time::sleep_until(later(asked_last, ask_within)), if stream.pending == 0 => {
                let text = "no more events were asked for in time";
                return Err(refused(Code::DeadlineExceeded, "subscription.fetch.timeout", text));
            }
            _ = told.changed() => {}
        }
        // Who has hung up his side and got all that he asked for is done.
        if !asking && stream.pending == 0 {
            return Ok(());
        }
    }
}

struct Stream<'a> {
    emulator: Emulator,
    /// The number of the next event.
    place: u64,
    pending: i32,
    responses: &'a Responses,
}

impl Stream<'_> {
    /// Sends what there is and may be sent; says whether that was anything.
    async fn deliver(&mut self) -> Result<bool, Status> {
        let wanted = usize::try_from(self.pending).unwrap_or(0);
        if wanted == 0 {
            return Ok(false);
        }
        let (events, next, cut, delay) = self.emulator.with_state(|state, _| {
            let (events, next) = state.bus.read(self.place, state.streams.most(wanted));
            let cut = state.streams.delivered(events.len());
            (events, next, cut, state.streams.delay_ms)
        });
        let count = i32::try_from(events.len()).unwrap_or(i32::MAX);
        if count > 0 {
            (self.place, self.pending) = (next, self.pending.saturating_sub(count));
            let latest_replay_id = events.last().map(|event| event.replay_id.clone()).unwrap_or_default();
            self.send(FetchResponse { events, latest_replay_id, ..FetchResponse::default() }, delay).await?;
            let count = u64::try_from(count).unwrap_or(0);
            self.emulator
                .0
                .streams
                .send_modify(|counts| counts.delivered = counts.delivered.saturating_add(count));
        }
        if cut { Err(unavailable("the stream was told to be cut here")) } else { Ok(count > 0) }
    }

    async fn keep_alive(&self) -> Result<(), Status> {
        let place = self.place;
        let (latest_replay_id, delay) =
            self.emulator.with_state(|state, _| (state.bus.mark(place), state.streams.delay_ms));
        self.send(FetchResponse { latest_replay_id, ..FetchResponse::default() }, delay).await
    }

    async fn send(&self, response: FetchResponse, delay_ms: u64) -> Result<(), Status> {
        if delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let response = FetchResponse { rpc_id: rpc_id(), pending_num_requested: self.pending, ..response };
        self.responses.send(Ok(response)).await.map_err(|_| Status::cancelled("the subscriber is gone"))
    }
}

/// Where a stream begins.
fn begin(emulator: &Emulator, first: &FetchRequest) -> Result<u64, Status> {
    let preset = ReplayPreset::try_from(first.replay_preset)
        .map_err(|_| invalid("subscription.fetch.replay.preset.invalid", "there is no such replay preset"))?;
    emulator.with_state(|state, now| {
        let settings = state.salesforce.settings();
        if first.topic_name != settings.events.topic {
            return Err(no_such_topic(&first.topic_name, &settings.events.topic));
        }
        if !settings.stream.can_subscribe {
            let text = "the user may not read this platform event";
            return Err(refused(Code::PermissionDenied, "topic.permission.denied", text));
        }
        match preset {
            ReplayPreset::Latest => Ok(state.bus.end()),
            ReplayPreset::Earliest => Ok(state.bus.earliest(now)),
            ReplayPreset::Custom if first.replay_id.is_empty() => Err(invalid(
                "subscription.fetch.replayid.validation.failed",
                "the preset CUSTOM needs a Replay ID",
            )),
            ReplayPreset::Custom => state.bus.after(now, &first.replay_id).map_err(|_| {
                let text = "the Replay ID is not known, or older than what is kept";
                invalid("subscription.fetch.replayid.corrupted", text)
            }),
        }
    })
}

/// A moment so much later; where there is none, one that nobody lives to see.
fn later(at: Instant, wait: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(1 << 30);
    at.checked_add(wait).or_else(|| at.checked_add(DECADES)).unwrap_or(at)
}

fn asked(request: &FetchRequest) -> Result<i32, Status> {
    let count = request.num_requested;
    if (1..=MOST_REQUESTED).contains(&count) {
        return Ok(count);
    }
    let text = format!("num_requested is {count}; it must be from 1 to {MOST_REQUESTED}");
    Err(invalid("subscription.fetch.requested.events.invalid", &text))
}

fn invalid(error_code: &str, text: &str) -> Status {
    refused(Code::InvalidArgument, error_code, text)
}
