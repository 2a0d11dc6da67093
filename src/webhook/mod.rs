//! The partner's own rep finder, directory and end-user notifier, where they are not written in Rust: each a
//! URL that is sent JSON by `POST` and answers with JSON. `openapi/webhooks.yaml` describes them.
//!
//! Knows the ports and HTTP. Must never know what a request does with a rep, or who opened a list.
//!
//! Invariants
//! 1. The secret goes to the URL that is configured and nowhere else: no redirect is followed, and plain HTTP
//!    is for this machine alone. It is printed nowhere.
//! 2. All tries of one request carry the same `RequestId`, and where there are signing secrets each is signed.
//! 3. Nothing that a webhook answers is larger, longer or other than the port allows: what does not fit is left
//!    out and told in the log.
//! 4. A webhook that is slow or gone holds up those who ask it, for a bounded time, and nobody else.
//! 5. The notifications of one conversation arrive in their order.
//!
//! Elsewhere: the ports in `connector` and `contacts`.

mod answer;
mod contacts;
mod context;
mod failure;
mod finder;
mod health;
mod hook;
mod lenient;
mod notifier;
mod probe;
mod settings;
mod signing;
mod tries;

use std::sync::Arc;

pub use contacts::Contacts;
pub use context::Context;
pub use finder::Finder;
pub use health::{Failing, Health, Kind};
pub use notifier::Notifier;
pub use probe::{Answered, ProbeResult, probe};
pub use settings::{Error, Settings};

use crate::model::time::Clock;
use crate::notices::Notices;
use hook::Hook;

/// The webhooks that are configured. All channels share their connections.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    rep_finder: Option<Hook>,
    directory: Option<Hook>,
    end_user_notifier: Option<Hook>,
}

impl Webhooks {
    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// Where a URL is not one to send a secret to, the secret cannot be sent, or HTTP cannot be set up.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let hook =
            |kind, url: &Option<String>| url.as_deref().map(|url| Hook::new(kind, url, settings)).transpose();
        Ok(Self {
            rep_finder: hook(Kind::RepFinder, &settings.rep_finder_url)?,
            directory: hook(Kind::Directory, &settings.directory_url)?,
            end_user_notifier: hook(Kind::EndUserNotifier, &settings.end_user_notifier_url)?,
        })
    }

    /// Shows those that fail on a board of notices from now on.
    pub fn report_to(&self, notices: &Notices, clock: &Arc<dyn Clock>) {
        self.health().for_each(|health| health.report_to(notices, clock));
    }

    /// How each of those that are configured is doing.
    pub fn health(&self) -> impl Iterator<Item = &Health> {
        [&self.rep_finder, &self.directory, &self.end_user_notifier].into_iter().flatten().map(Hook::health)
    }

    /// The rep finder for a channel, where one is configured.
    pub fn rep_finder(&self, context: &Context) -> Option<Finder> {
        self.rep_finder.clone().map(|hook| Finder::new(hook, context.clone()))
    }

    /// The directory for a channel, where one is configured.
    pub fn directory(&self, context: &Context) -> Option<Contacts> {
        self.directory.clone().map(|hook| Contacts::new(hook, context.clone()))
    }

    /// The end-user notifier for a channel, where one is configured.
    pub fn end_user_notifier(&self, context: &Context) -> Option<Notifier> {
        self.end_user_notifier.clone().map(|hook| Notifier::new(hook, context.clone()))
    }
}
