//! Decides what happens to routing requests, one input at a time.
//!
//! A rep asks for somebody; reps are found, offered the work item, accept, decline or keep silent; the
//! requester changes their mind; answers get lost. This module only chooses what to do about it. It
//! owns no socket, no storage and no clock, and its state is a plain value.
//!
//! Deciding and changing are apart: an input becomes facts and commands, and only
//! [`Conversation::apply`] changes the state, by facts. Whoever stores the facts can stop at any point
//! and go on: apply them again, ask for [`Conversation::outstanding`], carry on.
//!
//! Elsewhere: HTTP in `interaction`, parsing in `events`, virtual time and comparison in `replay`.
#![doc = "\nThe state machine of one conversation is [`Conversation`]; [`Conversations`] finds the right one."]

mod calls;
mod command;
mod conversation;
mod conversations;
mod decision;
mod fact;
mod last_move;
mod left_open;
mod lists;
mod next;
mod offer;
mod offers;
mod on_answer;
mod on_cancel;
mod on_event;
mod on_owed;
mod owed;
mod owing;
mod phase;
mod policy;
mod presence;
mod progress;
mod reason;
mod remark;
mod request;
mod resumed;
mod room;
mod room_index;
mod room_wait;
pub mod rules;
mod session_wait;
mod skills;
mod speaker;
mod target;
mod time_bounds;
mod undo;
mod undoing;
mod view;
mod waiting;
mod wind_up;

pub use command::{
    Announced, Announcement, Command, CommandId, Effects, Input, Order, Remark, SearchFailure, SessionNews,
};
pub use conversation::Conversation;
pub use conversations::{Conversations, RestoredConversation, Turn};
pub use fact::{Fact, IllegalFact, Intent, RequestFact, Requested};
pub use left_open::LeftOpen;
pub use owed::OwedView;
pub use owing::Owes;
pub use phase::SessionPhase;
pub use policy::{ANSWER_WINDOW, Policy, Report, Ring, Settings};
pub use reason::{Conclusion, Ending, OfferEndReason, Outcome, Reason, Step};
pub use speaker::OfferOwner;
pub use target::ResolvedTarget;
pub use time_bounds::TimeBounds;
pub use undo::{OperatorOrder, Undo};
pub use view::{OfferView, RequestView};
