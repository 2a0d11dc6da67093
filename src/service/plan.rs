//! What a service is to run, put together from a configuration and checked before anything starts.

use std::sync::Arc;

use crate::config::{Org, Serving};
use crate::connector::{EndUserNotifier, PanicLog, Parts, RepFinder, WorkItems};
use crate::contacts::Directory;
use crate::events::pubsub::{self, PubSub, Start};
use crate::events::quarantine::Quarantine;
use crate::events::source::ReplayId;
use crate::events::{EventSource, FieldNames};
use crate::interaction::{self, Client, JwtBearer, JwtSettings, Limiter};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::{ConversationId, OrgId, WorkItemId};
use crate::model::time::Clock;
use crate::model::words::RoutingOwner;
use crate::notices::Notices;
use crate::org::{Budget, OrgReader, RestApi};
use crate::people::People;
use crate::routing::Settings;
use crate::store::{ChannelKey, Position, Store};

use super::tokens::{OrgCredentials, WatchedTokens};

/// Everything that a service runs.
pub struct Plan {
    /// The orgs.
    pub orgs: Vec<OrgPlan>,
    /// Where facts are made durable.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where whatever somebody should look at is raised, by the service and by what the plan brings along.
    pub notices: Notices,
    /// What remembers the events that cannot be read.
    pub aside: Quarantine,
}

/// One org.
pub struct OrgPlan {
    /// Which.
    pub id: OrgId,
    /// Its tokens.
    pub tokens: WatchedTokens,
    /// What is set up in it can be asked here; none where its address is wrong.
    pub reader: Option<OrgReader>,
    /// Its events; none where they are brought by HTTP.
    pub pubsub: Option<PubSub>,
    /// Its channels.
    pub channels: Vec<ChannelPlan>,
}

/// One channel.
#[derive(Clone)]
pub struct ChannelPlan {
    /// Its definition, with a developer name.
    pub definition: ChannelDefinition,
    /// Its developer name.
    pub name: Arc<str>,
    /// Its rules.
    pub settings: Settings,
    /// Salesforce.
    pub client: Client,
    /// The partner's router.
    pub finder: Arc<dyn RepFinder>,
    /// Where the work item of a conversation is asked for.
    pub work_items: Arc<dyn WorkItems>,
    /// The partner's directory.
    pub directory: Arc<dyn Directory>,
    /// The partner's own channel.
    pub notifier: Arc<dyn EndUserNotifier>,
    /// The reps, where it is us who keep them.
    pub people: Option<People>,
    /// Where the stream begins where no position is known.
    pub begin: Start,
}

/// What a partner brings for one channel.
pub struct Ports {
    /// The partner's router.
    pub finder: Arc<dyn RepFinder>,
    /// The partner's directory.
    pub directory: Arc<dyn Directory>,
    /// The partner's own channel.
    pub notifier: Arc<dyn EndUserNotifier>,
    /// The reps, where it is us who keep them.
    pub people: Option<People>,
}

/// Why a plan cannot be carried out, and where the configuration says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PlanError {
    /// The org's place in the configuration, `org` or `orgs[2]`.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl OrgPlan {
    /// Checks an org's settings and sets up its login, its limiter, its connection and its channels. Nothing is
    /// sent. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn new(
        serving: &Serving,
        org: &Org,
        clock: &Arc<dyn Clock>,
        mut ports: impl FnMut(&ChannelDefinition) -> Ports,
    ) -> Result<Self, Vec<PlanError>> {
        let wrong = |problem: String| PlanError { place: org.place.clone(), problem };
        let mut mistakes = Vec::new();
        let bearer = JwtBearer::new(jwt_settings(org), Arc::clone(clock));
        let tokens = match bearer {
            Ok(bearer) => WatchedTokens::new(org.id, Arc::new(bearer), Arc::clone(clock)),
            Err(error) => return Err(vec![wrong(error.to_string())]),
        };
        let pubsub =
            PubSub::new(pubsub_settings(org), Arc::new(OrgCredentials(tokens.clone())), Arc::clone(clock));
        let pubsub = pubsub.map_err(|error| {
            // The library's setting has another name in the configuration.
            mistakes.push(wrong(error.to_string().replacen("endpoint", "pubsub_endpoint", 1)));
        });
        let rest = RestApi::new(
            &org.instance_url,
            Arc::new(tokens.clone()),
            Arc::clone(clock),
            Budget::new(org.reads),
        );
        let reader = rest.ok().map(OrgReader::new);
        let limiter = Limiter::for_org();
        let mut channels = Vec::new();
        for definition in &org.channels {
            let name: Arc<str> = definition.developer_name.as_deref().unwrap_or_default().into();
            let client = Client::builder(&org.interaction_url, org.id, &*name, Arc::new(tokens.clone()))
                .limiter(limiter.clone())
                .clock(Arc::clone(clock))
                .build();
            match client {
                Ok(client) => {
                    let Ports { finder, directory, notifier, people } = ports(definition);
                    channels.push(ChannelPlan {
                        settings: settings(serving, definition),
                        definition: definition.clone(),
                        name,
                        client,
                        finder,
                        work_items: Arc::new(AskedOrg(reader.clone())),
                        directory,
                        notifier,
                        people,
                        begin: if org.from_earliest { Start::Earliest } else { Start::Latest },
                    });
                }
                Err(error) => mistakes.push(wrong(in_our_words(&error))),
            }
        }
        mistakes.dedup();
        match pubsub {
            Ok(pubsub) if mistakes.is_empty() => {
                Ok(Self { id: org.id, tokens, reader, pubsub: Some(pubsub), channels })
            }
            _ => Err(mistakes),
        }
    }
}

/// Asks the org itself, where it can be read.
struct AskedOrg(Option<OrgReader>);

#[async_trait::async_trait]
impl WorkItems for AskedOrg {
    async fn work_item(&self, conversation: &ConversationId) -> Option<WorkItemId> {
        let found = self.0.as_ref()?.work_item(conversation).await;
        if let Err(error) = &found {
            tracing::warn!(%conversation, %error, "the work item is unknown, and could not be asked for");
        }
        found.ok().flatten()
    }
}

fn jwt_settings(org: &Org) -> JwtSettings {
    let mut settings = JwtSettings::new(&*org.consumer_key, &*org.username, org.private_key.clone());
    if let Some(audience) = &org.audience {
        settings.audience.clone_from(audience);
    }
    settings.token_url.clone_from(&org.token_url);
    settings.my_domain = Some(org.instance_url.clone());
    settings
}

fn pubsub_settings(org: &Org) -> pubsub::Settings {
    let mut settings = pubsub::Settings::new(org.id, &*org.instance_url);
    if let Some(endpoint) = &org.pubsub_endpoint {
        settings.endpoint.clone_from(endpoint);
    }
    settings
}

fn settings(serving: &Serving, definition: &ChannelDefinition) -> Settings {
    Settings {
        conference_supported: definition.is_conference_supported,
        participant_limit: definition.participant_limit(serving.config.platform_participant_limit),
        policy: serving.config.routing.clone(),
    }
}

fn in_our_words(error: &interaction::Error) -> String {
    error.to_string().replacen("base_url", "interaction_url", 1)
}

impl ChannelPlan {
    /// Whether the partner routes the channel's requests.
    pub(super) fn is_ours(&self) -> bool {
        self.definition.routing_owner == RoutingOwner::Partner
    }

    pub(super) fn field_names(&self) -> Option<FieldNames> {
        let definition = &self.definition;
        Some(FieldNames::new(definition.event_type_field()?, definition.event_payload_field()?))
    }

    pub(super) fn key(&self, org: OrgId) -> ChannelKey {
        ChannelKey { org, channel: Arc::clone(&self.name) }
    }

    pub(super) fn parts(
        &self,
        org: OrgId,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        panics: Arc<dyn PanicLog>,
    ) -> Parts {
        Parts {
            key: self.key(org),
            settings: self.settings.clone(),
            calls: Arc::new(self.client.clone()),
            finder: Arc::clone(&self.finder),
            work_items: Arc::clone(&self.work_items),
            notifier: Arc::clone(&self.notifier),
            store: Arc::clone(store),
            panics,
            clock: Arc::clone(clock),
        }
    }

    /// The channel's stream, begun behind what was processed.
    pub(super) fn subscribe(
        &self,
        pubsub: Option<&PubSub>,
        positions: &[Position],
        aside: &Quarantine,
    ) -> Option<(String, Box<dyn EventSource>)> {
        if !self.is_ours() {
            tracing::warn!(
                channel = &*self.name,
                "RoutingOwner is Salesforce: Salesforce routes these requests; no events are read for this channel"
            );
            return None;
        }
        let topic = self.definition.topic()?;
        let known = positions.iter().find(|position| position.topic() == topic);
        let start = match known {
            Some(position) => Start::After(ReplayId::new(position.replay_id())),
            None => self.begin.clone(),
        };
        let source = pubsub?.subscribe_remembering(&topic, start, aside.clone());
        Some((topic, Box::new(source)))
    }
}
