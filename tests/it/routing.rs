//! The routing state machine, one rule of PROTOCOL a test.

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::event::{EventKind, RoutingCancelled, Target};
use byoc_connector::model::ids::{EventId, Subject};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{Conversation, Fact, Input, Order, Outcome, Reason, Remark, RequestFact};

use crate::support::scenario::*;

mod after_the_offer;
mod cancels;
mod failures;
mod first;
mod journal;
mod offers_of_unknown_id;
mod owed;
mod refusals;
mod refused_reps;
mod repeated_offers;
mod ring_all;
mod sequences;
mod sixty_seconds;
mod told_of_what_is_over;
mod two_requests;
mod waiting;
mod who_left;
mod whom_a_cancel_means;
mod work_item_told_later;
