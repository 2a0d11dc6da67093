//! What is only known when it is asked for, told to whoever counts.

use std::time::Duration;

use futures_util::future::join_all;
use metrics::gauge;
use tokio::time::timeout;

use super::{Part, Service};

/// How long a channel may take to be looked at. One whose store fails stands still, and that is when the other
/// numbers are wanted.
const PATIENCE: Duration = Duration::from_millis(500);

impl Service {
    /// Brings the numbers up to date that change by themselves. To be called before they are read.
    pub async fn observe(&self) {
        let now = self.clock().now();
        let channels = self.channels();
        let counts = channels.iter().map(|running| timeout(PATIENCE, running.counts()));
        let letters = channels.iter().map(|running| timeout(PATIENCE, running.dead_letters().look()));
        let (counted, _) = tokio::join!(join_all(counts), join_all(letters));
        for (running, counts) in channels.iter().zip(counted) {
            let key = running.key();
            let (org, channel) = (key.org.to_string(), key.channel.to_string());
            let labels = [("org", org), ("channel", channel)];
            if let Ok(Ok((remembered, open))) = counts {
                gauge!("byoc_conversations_remembered", &labels).set(as_number(remembered));
                gauge!("byoc_conversations_open", &labels).set(as_number(open));
            }
            gauge!("byoc_conversations_unreadable", &labels).set(as_number(running.lost().count()));
            let owes = running.owes();
            let age = owes.map_or(0.0, |owes| now.since(owes.oldest).as_secs_f64());
            gauge!("byoc_owed", &labels).set(as_number(owes.map_or(0, |owes| owes.count)));
            gauge!("byoc_owed_oldest_seconds", &labels).set(age);
            let letters = running.dead_letters().count().count;
            gauge!("byoc_dead_letters", &labels).set(as_number(letters));
            let stream = running.stream();
            gauge!("byoc_stream_connected", &labels).set(f64::from(u8::from(stream.connected)));
            if let Some(heard) = stream.last_heard {
                gauge!("byoc_stream_heard_seconds_ago", &labels).set(now.since(heard).as_secs_f64());
            }
            gauge!("byoc_stream_cuts", &labels).set(as_number(stream.cuts));
            gauge!("byoc_stream_gaps", &labels).set(as_number(stream.gaps));
            gauge!("byoc_stream_set_aside", &labels).set(as_number(stream.set_aside));
        }
        gauge!("byoc_store_queued").set(as_number(self.store().health().queued));
        for check in self.readiness().checks {
            let what = match check.what {
                Part::Stream => "stream",
                Part::Store => "store",
                Part::Token => "token",
            };
            let org = check.org.map(|org| org.to_string()).unwrap_or_default();
            let channel = check.channel.unwrap_or_default();
            let labels = [("part", what.to_owned()), ("org", org), ("channel", channel)];
            gauge!("byoc_part_ready", &labels).set(f64::from(u8::from(check.ok)));
        }
    }
}

/// A count as Prometheus has it; those that it cannot tell apart nobody could either.
#[allow(clippy::cast_precision_loss, reason = "a count beyond 2^53 is not to be had")]
fn as_number<N: TryInto<u64>>(count: N) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
