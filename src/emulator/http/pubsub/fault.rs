//! What goes wrong with streams, on demand.

use serde::{Deserialize, Serialize};

/// Something that goes wrong with the Pub/Sub API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum StreamFault {
    /// Every open stream ends without an error.
    End,
    /// Every open stream ends with `UNAVAILABLE`.
    Unavailable,
    /// One stream ends with `UNAVAILABLE` when so many more events have been delivered, over all streams.
    CutAfter {
        /// How many.
        events: u64,
    },
    /// The next subscriptions are refused with `UNAVAILABLE`.
    RefuseSubscribe {
        /// How many; 1 where nothing is said.
        #[serde(default = "one")]
        times: u32,
    },
    /// Every replay id that was given until now is refused, as if too old. The events stay, under other ids.
    ForgetReplayIds,
    /// The events that are published from now on have another schema.
    ChangeSchema,
    /// The next questions for a schema are refused.
    RefuseSchema {
        /// How many; 1 where nothing is said.
        #[serde(default = "one")]
        times: u32,
        /// gRPC's number of the status: 5, `NOT_FOUND`, where nothing is said.
        #[serde(default = "not_found")]
        status: i32,
    },
    /// Every response comes so much later, from now on.
    Delay {
        /// Milliseconds; 0 ends it.
        milliseconds: u64,
    },
}

const fn one() -> u32 {
    1
}

const fn not_found() -> i32 {
    5
}

/// The faults that are still to come.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct StreamPlan {
    pub(super) refusals: u32,
    /// How many questions for a schema are refused, and with which status.
    pub(super) schema_refusals: (u32, i32),
    /// How many events from here on until the cut.
    pub(super) cut_after: Option<u64>,
    pub(super) delay_ms: u64,
}

impl StreamPlan {
    /// How many events may go out before a stream is cut.
    pub(super) fn most(&self, wanted: usize) -> usize {
        self.cut_after.map_or(wanted, |left| usize::try_from(left).unwrap_or(wanted).min(wanted))
    }

    /// So many went out. Says whether the stream is to be cut now.
    pub(super) fn delivered(&mut self, count: usize) -> bool {
        let Some(left) = &mut self.cut_after else { return false };
        *left = left.saturating_sub(count as u64);
        let cut = *left == 0;
        if cut {
            self.cut_after = None;
        }
        cut
    }

    /// The status with which a question for a schema is refused.
    pub(super) const fn refuses_schema(&mut self) -> Option<i32> {
        let (left, status) = self.schema_refusals;
        self.schema_refusals.0 = left.saturating_sub(1);
        if left > 0 { Some(status) } else { None }
    }

    pub(super) const fn refuses(&mut self) -> bool {
        let refuses = self.refusals > 0;
        self.refusals = self.refusals.saturating_sub(1);
        refuses
    }
}
