//! What stands at the partner's: the webhooks, and the identity provider's keys.

use std::sync::Arc;

use super::{Finding, Step};
use crate::config::Serving;
use crate::config::server::SessionAuth;
use crate::model::time::Clock;
use crate::server::probe_keys;
use crate::webhook::{Answered, Context, probe};

const UNREACHABLE: &str = "check the URL, and that this machine may reach it (name server, firewall, proxy, certificates); then try again";

/// Looks at webhooks and keys; nothing, where none are set.
pub async fn partner(serving: &Serving, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(SessionAuth::Jwks(url)) = &serving.server.session {
        findings.push(match probe_keys(url, Arc::clone(clock)).await {
            Ok(keys) => {
                Finding::fine("server", Step::Keys, format!("{url} gives {keys} keys for session tokens"))
            }
            Err(error) => {
                let found = format!("cannot fetch keys from {url}: {error}");
                let advice = "check session_jwks_url: without keys no rep can log in; it must return a JSON Web Key Set \
                              with keys for RS256 or ES256";
                Finding::problem("server", Step::Keys, found, advice)
            }
        });
    }
    // They are the same for all channels.
    let channel = serving.orgs.iter().find_map(|org| Some((org.id, org.channels.first()?)));
    if let Some((org, definition)) = channel {
        let context = Context { org, channel: definition.developer_name.clone().unwrap_or_default() };
        findings.extend(probe(&serving.webhooks, &context).await.into_iter().map(|probed| {
            let place = format!("webhooks, {}", probed.field);
            let url = &probed.url;
            match probed.answer {
                Answered::Well(status) => {
                    let found = format!("{url} answers a probe (HTTP {status})");
                    Finding::fine(&place, Step::Webhooks, found)
                }
                Answered::Badly { status, advice } => {
                    let found = format!("{url} answers a probe with HTTP {status}");
                    Finding::problem(&place, Step::Webhooks, found, advice)
                }
                Answered::NotAtAll(error) => {
                    let found = format!("{url} does not answer: {error}");
                    Finding::problem(&place, Step::Webhooks, found, UNREACHABLE)
                }
                Answered::Mistaken(error) => Finding::problem(
                    &place,
                    Step::Webhooks,
                    error.to_string(),
                    "correct the table [webhooks]",
                ),
            }
        }));
    }
    findings
}
