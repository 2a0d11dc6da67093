//! Faults on demand: what goes wrong with a call, how often, and with which operation.
//!
//! A plan of faults is data. Each call walks it in order; a fault that fits the call, whose turn it is and
//! whose draw falls below its probability is used up by one. Delays add up; of the others the first counts.

use serde::{Deserialize, Serialize};

use super::operations::Operation;

/// Something that goes wrong with calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// With which operation; with every one where none is named.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// How many fitting calls go by unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How many calls it then harms; 1 where nothing is said, every one where it is `null`.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How likely it is to harm a fitting call, from 0 to 1; certain where nothing is said.
    #[serde(default = "certain")]
    pub probability: f64,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// Harms the next call of an operation, once.
    pub const fn once(operation: Operation, kind: FaultKind) -> Self {
        Self { operation: Some(operation), skip: 0, times: Some(1), probability: 1.0, kind }
    }

    /// Harms every call.
    pub const fn always(kind: FaultKind) -> Self {
        Self { operation: None, skip: 0, times: None, probability: 1.0, kind }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
const fn once() -> Option<u32> {
    Some(1)
}

const fn certain() -> f64 {
    1.0
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// The call is carried out, and answered so much later.
    Latency {
        /// Milliseconds.
        milliseconds: u64,
    },
    /// Not carried out: 429.
    RateLimited {
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_seconds: Option<u32>,
    },
    /// Not carried out: a 5xx whose body is not the API's.
    ServerError {
        /// The status.
        #[serde(default = "internal_error")]
        status: u16,
    },
    /// Not carried out: refused with an error code.
    ErrorCode {
        /// The code.
        code: u32,
        /// The status.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// Carried out, and the connection breaks before the answer.
    AnswerLost {
        /// Milliseconds until it breaks.
        #[serde(default)]
        after_milliseconds: u64,
    },
    /// Not carried out: the connection breaks at once.
    ConnectionRefused,
}

const fn internal_error() -> u16 {
    500
}

const fn bad_request() -> u16 {
    400
}

/// What the plan says about one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FaultEffect {
    pub(super) after_ms: u64,
    pub(super) harm: Option<FaultKind>,
}

/// The faults that are still to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    faults: Vec<Fault>,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What happens to a call of that operation. `draw`, from 0 and below 1, decides about probabilities.
    pub(super) fn judge(&mut self, operation: Option<Operation>, draw: f64) -> FaultEffect {
        let mut verdict = FaultEffect::default();
        for fault in &mut self.faults {
            let fits = fault.operation.is_none() || fault.operation == operation;
            let is_delay = matches!(fault.kind, FaultKind::Latency { .. });
            if !fits || (verdict.harm.is_some() && !is_delay) || fault.times == Some(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip = fault.skip.saturating_sub(1);
                continue;
            }
            if draw >= fault.probability {
                continue;
            }
            fault.times = fault.times.map(|left| left.saturating_sub(1));
            match &fault.kind {
                FaultKind::Latency { milliseconds } => {
                    verdict.after_ms = verdict.after_ms.saturating_add(*milliseconds);
                }
                FaultKind::AnswerLost { after_milliseconds } => {
                    verdict.after_ms = verdict.after_ms.saturating_add(*after_milliseconds);
                    verdict.harm = Some(fault.kind.clone());
                }
                harm => verdict.harm = Some(harm.clone()),
            }
        }
        self.faults.retain(|fault| fault.times != Some(0));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_order_and_delays_add_up() {
        let mut plan = Plan::default();
        plan.add(Fault::once(Operation::CreateRoute, FaultKind::ServerError { status: 503 }));
        plan.add(Fault::once(Operation::CreateRoute, FaultKind::ConnectionRefused));
        plan.add(Fault::always(FaultKind::Latency { milliseconds: 20 }));
        let first = plan.judge(Some(Operation::CreateRoute), 0.0);
        assert_eq!(first, FaultEffect { after_ms: 20, harm: Some(FaultKind::ServerError { status: 503 }) });
        assert_eq!(plan.judge(Some(Operation::DeleteRoute), 0.0), FaultEffect { after_ms: 20, harm: None });
        let second = plan.judge(Some(Operation::CreateRoute), 0.0);
        assert_eq!(second.harm, Some(FaultKind::ConnectionRefused));
        assert_eq!(plan.judge(Some(Operation::CreateRoute), 0.0).harm, None);
        assert_eq!(plan.faults().len(), 1);
    }

    #[test]
    fn skipped_and_unlikely_calls_go_by() {
        let mut plan = Plan::default();
        plan.add(Fault {
            skip: 1,
            probability: 0.5,
            ..Fault::once(Operation::Participant, FaultKind::RateLimited { retry_after_seconds: None })
        });
        let call = Some(Operation::Participant);
        assert_eq!(plan.judge(call, 0.1).harm, None, "skipped");
        assert_eq!(plan.judge(call, 0.9).harm, None, "unlikely");
        assert!(plan.judge(call, 0.1).harm.is_some());
    }

    #[test]
    fn a_fault_reads_from_a_line_of_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"fault":"rateLimited","operation":"createAgentWork","retryAfterSeconds":2,"times":3}"#,
        )
        .unwrap();
        assert_eq!(fault.kind, FaultKind::RateLimited { retry_after_seconds: Some(2) });
        assert_eq!((fault.operation, fault.times), (Some(Operation::CreateAgentWork), Some(3)));
    }
}
