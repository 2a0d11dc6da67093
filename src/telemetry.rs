//! What the process says of itself: log lines on stderr, numbers for Prometheus.
//!
//! Knows nothing of routing. Whoever has something to say calls `tracing` and `metrics`, and does not know
//! who listens; without this module, nobody does.
//!
//! Invariants
//! 1. Logs go to stderr, so that stdout is the command's own.
//! 2. Nothing is sent anywhere: numbers are given to whoever asks for them.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;

/// The upper bounds of the buckets in which durations are counted, in seconds.
const BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0, 120.0,
];

/// How often single durations are counted into their buckets. Until then each of them is kept, and where nobody
/// reads the numbers that would be all of them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Whose names stand before log lines: ours, and those of the libraries that have something to say.
const LOGGING: &[&str] =
    &["byoc", "axum", "h2", "hyper", "mio", "reqwest", "rustls", "tokio", "tonic", "tower", "tracing"];

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins to write log lines to stderr. `filter` is as `RUST_LOG` has it (`info,byoc_connector=debug`).
///
/// # Errors
/// Where the filter is none.
pub fn log(format: LogFormat, filter: &str, colour: bool) -> Result<(), String> {
    let text = filter;
    let filter: EnvFilter = text.parse().map_err(|error| {
        format!("'{text}' is no filter of log lines ({error}); it must be such as info or info,byoc_connector=debug")
    })?;
    if is_silent(text) {
        return Err(format!(
            "'{text}' lets no line through: nothing here logs under that name; it must be such as info or \
             info,byoc_connector=debug (how lines look is --log-format text or json; for no lines at all it is off)"
        ));
    }
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour);
    // A second subscriber is a test's; the first one stays.
    match format {
        LogFormat::Text => lines.with_target(false).try_init().ok(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init().ok(),
    };
    Ok(())
}

/// Whether no line can pass a filter, and nobody has asked for that: what it names are neither ours nor the
/// libraries' that log. A word that is no level is taken for a name: `json`, `inof`.
fn is_silent(filter: &str) -> bool {
    // Of spans and fields nothing can be told.
    if filter.contains(['[', '{']) {
        return false;
    }
    let Ok(targets) = filter.parse::<Targets>() else { return false };
    let is_known =
        |name: &str| LOGGING.iter().any(|known| known.starts_with(name) || name.starts_with(known));
    let mut named = targets.iter().peekable();
    named.peek().is_some() && targets.default_level().is_none() && named.all(|(name, _)| !is_known(name))
}

/// The numbers, to be rendered.
#[derive(Debug, Clone)]
pub struct Numbers(PrometheusHandle);

impl Numbers {
    /// Begins to count. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where something counts already.
    pub fn begin() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(BuildError::FailedToSetGlobalRecorder)?;
        describe();
        let numbers = Self(handle);
        tokio::spawn(numbers.clone().keep_up());
        Ok(numbers)
    }

    async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.0.run_upkeep();
        }
    }

    /// The numbers as Prometheus reads them.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Every number that there is, so that none is shown without its meaning.
fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!("byoc_requests_ended_total", "Routing requests that ended, by outcome.");
    describe_counter!(
        "byoc_rep_refusals_total",
        "Offers that Salesforce refused because of the rep, by its code."
    );
    describe_histogram!(
        "byoc_event_to_first_command_seconds",
        "From the event's arrival to the moment its first call or search begins; what the connector adds."
    );
    describe_histogram!(
        "byoc_request_to_offer_seconds",
        "From Salesforce publishing a request to its first offer."
    );
    describe_histogram!(
        "byoc_request_to_join_seconds",
        "From Salesforce publishing a request to the rep joining."
    );
    describe_counter!(
        "byoc_calls_total",
        "Tries of calls by operation, HTTP status (0: no answer) and Salesforce's code."
    );
    describe_histogram!("byoc_call_seconds", "How long a try took, by operation.");
    describe_histogram!(
        "byoc_limiter_wait_seconds",
        "How long a try waited for its turn under the org's limit."
    );
    describe_histogram!("byoc_store_commit_seconds", "How long a commit of the store took.");
    describe_webhooks();
    describe_counter!("byoc_remarks_total", "What is worth telling a person and changes nothing, by reason.");
    describe_counter!("byoc_events_total", "Events from the stream by what became of them.");
    describe_counter!(
        "byoc_duplicate_events_total",
        "Events that had been processed before, and so changed nothing."
    );
    describe_counter!(
        "byoc_events_odd_fields_total",
        "Fields of events that were not of their usual type, by field."
    );
    describe_gauge!("byoc_conversations_open", "Conversations with an open request.");
    describe_gauge!("byoc_conversations_remembered", "Conversations that are remembered.");
    describe_gauge!("byoc_stream_connected", "1 where events can come in.");
    describe_gauge!("byoc_stream_heard_seconds_ago", "How long ago the stream was last heard of.");
    describe_gauge!("byoc_stream_cuts", "How often the stream was lost, or could not be had.");
    describe_gauge!("byoc_stream_gaps", "How often events may have been lost.");
    describe_gauge!(
        "byoc_stream_set_aside",
        "How many events could not be read and were set aside, since the start."
    );
    describe_counter!("byoc_panics_total", "Panics over an event, a request or what the partner is told.");
    describe_gauge!("byoc_store_queued", "Turns that wait to become durable.");
    describe_gauge!("byoc_part_ready", "1 where that part (stream, store, token) is fine.");
}

/// Those of the partner's webhooks, and of what the partner does not take.
fn describe_webhooks() {
    use metrics::{describe_counter, describe_gauge};
    describe_counter!(
        "byoc_webhook_tries_total",
        "Tries of the partner's webhooks, by setting and HTTP status (0: no answer)."
    );
    describe_counter!(
        "byoc_webhook_failures_total",
        "Tries of the partner's webhooks that failed, by reason."
    );
    describe_gauge!("byoc_webhook_failing", "1 where the last try of that webhook failed.");
    describe_gauge!("byoc_dead_letters", "What the partner did not take.");
    describe_counter!(
        "byoc_dead_letters_dropped_total",
        "What the partner did not take and is not kept any more, by reason (age, count)."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_nothing_passes_is_known_from_one_that_something_does() {
        for silent in ["json", "text", "inof", "debugg,infos", "my_crate=debug", "jsonn=info,other=warn"] {
            assert!(is_silent(silent), "{silent}");
        }
        for loud in [
            "",
            "info",
            "INFO",
            "off",
            "trace",
            "5",
            "byoc_connector=debug",
            "byoc=info",
            "warn,json",
            "hyper=trace",
            "json,byoc_connector::routing=debug",
            "[request]=debug",
            "byoc_connector[request]=info",
        ] {
            assert!(!is_silent(loud), "{loud}");
        }
    }
}
