//! Whom a request asks for: the only place that looks into a target.
//!
//! What a target takes is a row of `rules`. What is read here from a [`ResolvedTarget`] is read from a fact, so it
//! does not depend on that table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::call::RouteBy;
use crate::model::event::{SkillRequirement, Target};
use crate::model::ids::{QueueId, RepId};
use crate::model::words::RoutingType;

use super::reason::Reason;
use super::rules::TargetKind;

/// What routes a session that waits for a rep: the row of `rules` that is begun when one does.
pub(super) const WHEN_WAITING: (RoutingType, ResolvedTarget) =
    (RoutingType::Initial, ResolvedTarget::Route(RouteBy::ChannelSetting));

/// Whom a request asks for, once it is clear that somebody may be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ResolvedTarget {
    /// One rep.
    Rep(RepId),
    /// Whoever a route leads to.
    Route(RouteBy),
    /// Somebody with these skills; no PSR exists.
    Skills(Vec<SkillRequirement>),
    /// Nobody: the request was refused as it came.
    Nobody,
}

impl TargetKind {
    /// What a routing event asks for.
    pub const fn of(target: &Target) -> Self {
        match target {
            Target::Rep(_) => Self::Rep,
            Target::Queue(_) => Self::Queue,
            Target::Flow { .. } => Self::Flow,
            Target::Skills(_) => Self::Skills,
            Target::Bot(_) => Self::Bot,
            Target::External(_) => Self::External,
            Target::Unreadable => Self::Unnamed,
        }
    }
}

impl ResolvedTarget {
    /// Whom an event asks for, as a request keeps it.
    pub(super) fn resolve(target: &Target) -> Result<Self, Reason> {
        match target {
            Target::Rep(rep) => Ok(Self::Rep(*rep)),
            Target::Queue(queue) => Ok(Self::Route(RouteBy::Queue(*queue))),
            Target::Flow { flow, fallback } => {
                let fallback = fallback.ok_or(Reason::NoFallbackQueue)?;
                Ok(Self::Route(RouteBy::Flow { flow: *flow, fallback }))
            }
            Target::Skills(skills) => Ok(Self::Skills(skills.clone())),
            Target::Bot(_) | Target::External(_) | Target::Unreadable => Ok(Self::Nobody),
        }
    }

    /// Whom a first routing asks for. Where it names nobody who can be asked, the channel's own setting decides.
    pub(super) fn resolve_first(target: &Target) -> Self {
        match Self::resolve(target) {
            Ok(Self::Nobody) | Err(_) => WHEN_WAITING.1,
            Ok(wanted) => wanted,
        }
    }

    /// What it asks for; `None` where the request was refused as it came.
    pub(super) const fn kind(&self) -> Option<TargetKind> {
        match self {
            Self::Rep(_) => Some(TargetKind::Rep),
            Self::Route(RouteBy::Queue(_)) => Some(TargetKind::Queue),
            Self::Route(RouteBy::Flow { .. }) => Some(TargetKind::Flow),
            Self::Route(RouteBy::ChannelSetting) => Some(TargetKind::Unnamed),
            Self::Skills(_) => Some(TargetKind::Skills),
            Self::Nobody => None,
        }
    }

    /// The rep whom it names.
    pub(super) const fn named_rep(&self) -> Option<RepId> {
        match self {
            Self::Rep(rep) => Some(*rep),
            Self::Route(_) | Self::Skills(_) | Self::Nobody => None,
        }
    }

    /// What `POST /route` goes by, where it takes one.
    pub(super) const fn route(&self) -> Option<RouteBy> {
        match self {
            Self::Route(by) => Some(*by),
            Self::Rep(_) | Self::Skills(_) | Self::Nobody => None,
        }
    }

    /// The queue that it names: the one asked for, or a flow's fallback.
    pub(super) const fn queue(&self) -> Option<QueueId> {
        match self {
            Self::Route(RouteBy::Queue(queue) | RouteBy::Flow { fallback: queue, .. }) => Some(*queue),
            Self::Route(RouteBy::ChannelSetting) | Self::Rep(_) | Self::Skills(_) | Self::Nobody => None,
        }
    }

    /// The skills that it names.
    pub(super) fn skills(&self) -> &[SkillRequirement] {
        match self {
            Self::Skills(skills) => skills,
            Self::Rep(_) | Self::Route(_) | Self::Nobody => &[],
        }
    }
}

/// Whom it asks for, by ids alone.
impl fmt::Display for ResolvedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rep(rep) => write!(f, "rep {rep}"),
            Self::Route(RouteBy::Queue(queue)) => write!(f, "queue {queue}"),
            Self::Route(RouteBy::Flow { flow, .. }) => write!(f, "flow {flow}"),
            Self::Route(RouteBy::ChannelSetting) => f.write_str("the channel's default target"),
            Self::Skills(skills) => {
                let names: Vec<&str> = skills.iter().map(|skill| skill.id.as_str()).collect();
                write!(f, "skills {}", names.join(", "))
            }
            Self::Nobody => f.write_str("nobody"),
        }
    }
}
