//! How a configuration becomes what is run: the same for every command.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::difference::is_same_webhook;
use super::error::Error;
use crate::config::{Org, Serving};
use crate::connector::TellNobody;
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::OrgId;
use crate::model::time::Clock;
use crate::people::People;
use crate::service::{OrgPlan, Ports};
use crate::webhook::{Context, Webhooks};

/// A configuration that was checked, and what is to be started of it.
pub struct Prepared {
    /// What was read.
    pub(super) serving: Serving,
    /// The orgs to start, in the order of the configuration.
    pub orgs: Vec<OrgPlan>,
    /// The partner's webhooks.
    pub(super) webhooks: Webhooks,
    /// The reps of each org.
    pub(super) people: BTreeMap<OrgId, People>,
}

impl Prepared {
    /// Checks everything that can be checked without a start. Must be called within a runtime.
    ///
    /// # Errors
    /// With every mistake.
    pub fn new(serving: Serving, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        let prepared = Self::of(serving, clock, None, |_| true)?;
        let mut mistakes: Vec<String> = Vec::new();
        if let Err(error) = prepared.serving.server.check() {
            mistakes.push(format!("server: {error}"));
        }
        mistakes.extend(has_no_room(&prepared.serving.store.path));
        if mistakes.is_empty() { Ok(prepared) } else { Err(Error(mistakes)) }
    }

    /// The same, for those orgs alone that are wanted. What `known` keeps of reps and webhooks is kept where the
    /// configuration says the same of them.
    pub(super) fn of(
        serving: Serving,
        clock: &Arc<dyn Clock>,
        known: Option<&Self>,
        is_wanted: impl Fn(OrgId) -> bool,
    ) -> Result<Self, Error> {
        let same_webhooks = known.filter(|known| is_same_webhook(&known.serving.webhooks, &serving.webhooks));
        let webhooks = match same_webhooks {
            Some(known) => known.webhooks.clone(),
            None => {
                Webhooks::new(&serving.webhooks).map_err(|error| Error(vec![format!("webhooks: {error}")]))?
            }
        };
        let mut people = BTreeMap::new();
        let (mut orgs, mut mistakes) = (Vec::new(), Vec::new());
        for org in &serving.orgs {
            let of_org = known
                .and_then(|known| known.people_of(org, &serving))
                .unwrap_or_else(|| People::new(org.roster.clone(), serving.config.people.choice));
            people.insert(org.id, of_org.clone());
            if !is_wanted(org.id) {
                continue;
            }
            let ports = |definition: &ChannelDefinition| {
                let channel = definition.developer_name.clone().unwrap_or_default();
                ports(&of_org, &webhooks, &Context { org: org.id, channel })
            };
            match OrgPlan::new(&serving, org, clock, ports) {
                Ok(plan) => orgs.push(plan),
                Err(wrong) => mistakes.extend(wrong.iter().map(ToString::to_string)),
            }
        }
        if mistakes.is_empty() { Ok(Self { serving, orgs, webhooks, people }) } else { Err(Error(mistakes)) }
    }

    /// The reps of an org as they are now, where the configuration still says the same of them.
    fn people_of(&self, org: &Org, serving: &Serving) -> Option<People> {
        let known = self.serving.orgs.iter().find(|known| known.id == org.id)?;
        let is_same = known.roster == org.roster && self.serving.config.people == serving.config.people;
        self.people.get(&org.id).filter(|_| is_same).cloned()
    }
}

/// What a channel works with: the partner's own platform where it is configured, and what is embedded for the
/// rest.
fn ports(people: &People, webhooks: &Webhooks, context: &Context) -> Ports {
    let finder = webhooks.rep_finder(context);
    let directory = webhooks.directory(context);
    let is_ours = finder.is_none() || directory.is_none();
    Ports {
        finder: finder.map_or_else(|| Arc::new(people.clone()) as _, |finder| Arc::new(finder) as _),
        directory: directory
            .map_or_else(|| Arc::new(people.clone()) as _, |directory| Arc::new(directory) as _),
        notifier: webhooks
            .end_user_notifier(context)
            .map_or_else(|| Arc::new(TellNobody) as _, |notifier| Arc::new(notifier) as _),
        people: is_ours.then(|| people.clone()),
    }
}

/// Why a store cannot be at that path, as far as that can be told without opening it.
fn has_no_room(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (shown, folder_shown) = (path.display(), folder.display());
    if !folder.is_dir() {
        return Some(format!(
            "store.path: it is {shown}, but the folder {folder_shown} does not exist; create it, or set another file"
        ));
    }
    let is_other = path.exists() && !path.is_file();
    is_other.then(|| {
        format!("store.path: it is {shown}, which is not a file; it must be the path of one, such as byoc.db")
    })
}
