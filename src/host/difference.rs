//! What a configuration that is read again changes of one that runs.
//!
//! Pure: knows two configurations and nothing of what runs.
//!
//! Invariant: an org whose own settings are as they were, beside rules and webhooks that are as they were, is
//! untouched. Where an org stands in the file says nothing.

use secrecy::{ExposeSecret, SecretString};

use crate::config::server::{ServerSettings, SessionAuth};
use crate::config::{Org, Serving};
use crate::model::ids::OrgId;
use crate::service::Difference;
use crate::webhook;

/// What `new` changes of `old`.
pub(super) fn difference(old: &Serving, new: &Serving) -> Difference {
    let mut found = Difference::default();
    let all = !has_same_rules(old, new);
    for org in &new.orgs {
        let list = match old.orgs.iter().find(|known| known.id == org.id) {
            None => &mut found.added,
            Some(known) if all || !is_same_org(known, org) => &mut found.replaced,
            Some(_) => &mut found.unchanged,
        };
        list.push(org.id);
    }
    let stays = |id: OrgId| new.orgs.iter().any(|org| org.id == id);
    found.removed.extend(old.orgs.iter().map(|org| org.id).filter(|id| !stays(*id)));
    if !is_same_server(&old.server, &new.server) {
        found.needs_restart.push("server");
    }
    if old.store != new.store {
        found.needs_restart.push("store");
    }
    found
}

/// Whether what concerns all orgs is the same. A definition and a roster at the top of the file are an org's.
fn has_same_rules(old: &Serving, new: &Serving) -> bool {
    let (a, b) = (&old.config, &new.config);
    a.platform_participant_limit == b.platform_participant_limit
        && a.routing == b.routing
        && a.people == b.people
        && is_same_webhook(&old.webhooks, &new.webhooks)
}

pub(super) fn is_same_webhook(old: &webhook::Settings, new: &webhook::Settings) -> bool {
    let webhook::Settings {
        rep_finder_url,
        directory_url,
        end_user_notifier_url,
        timeout,
        secret,
        signing_secrets,
    } = new;
    let has_same_signing_secrets = old.signing_secrets.len() == signing_secrets.len()
        && (old.signing_secrets.iter().zip(signing_secrets))
            .all(|(old, new)| is_same_secret(Some(old), Some(new)));
    old.rep_finder_url == *rep_finder_url
        && old.directory_url == *directory_url
        && old.end_user_notifier_url == *end_user_notifier_url
        && old.timeout == *timeout
        && is_same_secret(old.secret.as_ref(), secret.as_ref())
        && has_same_signing_secrets
}

fn is_same_org(old: &Org, new: &Org) -> bool {
    let Org {
        place: _,
        id,
        instance_url,
        interaction_url,
        pubsub_endpoint,
        consumer_key,
        username,
        audience,
        token_url,
        private_key,
        from_earliest,
        channels,
        roster,
        reads,
    } = new;
    old.id == *id
        && old.instance_url == *instance_url
        && old.interaction_url == *interaction_url
        && old.pubsub_endpoint == *pubsub_endpoint
        && old.consumer_key == *consumer_key
        && old.username == *username
        && old.audience == *audience
        && old.token_url == *token_url
        && is_same_secret(Some(&old.private_key), Some(private_key))
        && old.from_earliest == *from_earliest
        && old.channels == *channels
        && old.roster == *roster
        && old.reads == *reads
}

fn is_same_server(old: &ServerSettings, new: &ServerSettings) -> bool {
    let ServerSettings {
        listen,
        health_listen,
        connections,
        allowed_origins,
        session,
        audience,
        issuer,
        events_secret,
        partner_keys,
        operator_secret,
        login_url,
    } = new;
    let keys = |settings: &ServerSettings| -> Vec<_> {
        let all = settings.partner_keys.iter();
        all.map(|key| {
            (key.name.clone(), key.secret.expose_secret().to_owned(), key.orgs.clone(), key.channels.clone())
        })
        .collect()
    };
    old.listen == *listen
        && old.health_listen == *health_listen
        && old.connections == *connections
        && old.allowed_origins == *allowed_origins
        && is_same_session(old.session.as_ref(), session.as_ref())
        && old.audience == *audience
        && old.issuer == *issuer
        && is_same_secret(old.events_secret.as_ref(), events_secret.as_ref())
        && (old.partner_keys.len() == partner_keys.len() && keys(old) == keys(new))
        && is_same_secret(old.operator_secret.as_ref(), operator_secret.as_ref())
        && old.login_url == *login_url
}

fn is_same_session(old: Option<&SessionAuth>, new: Option<&SessionAuth>) -> bool {
    match (old, new) {
        (Some(SessionAuth::Secret(old)), Some(SessionAuth::Secret(new))) => {
            is_same_secret(Some(old), Some(new))
        }
        (Some(SessionAuth::Jwks(old)), Some(SessionAuth::Jwks(new))) => old == new,
        (None, None) => true,
        _ => false,
    }
}

fn is_same_secret(old: Option<&SecretString>, new: Option<&SecretString>) -> bool {
    old.map(ExposeSecret::expose_secret) == new.map(ExposeSecret::expose_secret)
}

#[cfg(test)]
mod tests;
