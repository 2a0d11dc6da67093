//! How a configuration becomes a running connector: the same for `serve` and `demo`.

use std::path::Path;
use std::sync::Arc;

use super::Error;
use crate::config::Serving;
use crate::connector::TellNobody;
use crate::events::quarantine::Quarantine;
use crate::model::channel_definition::ChannelDefinition;
use crate::model::time::Clock;
use crate::notices::Notices;
use crate::people::People;
use crate::server::{Parts, Server};
use crate::service::{OrgPlan, Plan, Ports, Service};
use crate::store::{self, Retention, Sqlite, Store};
use crate::telemetry::Numbers;
use crate::webhook::{Context, Webhooks};

/// Checks everything that can be checked without a start. Must be called within a runtime.
pub(super) fn orgs(serving: &Serving, clock: &Arc<dyn Clock>) -> Result<(Vec<OrgPlan>, Webhooks), Error> {
    let mut orgs = Vec::new();
    let mut mistakes: Vec<String> = Vec::new();
    let webhooks =
        Webhooks::new(&serving.webhooks).map_err(|error| Error::new(format_args!("webhooks: {error}")))?;
    for org in &serving.orgs {
        let people = People::new(org.roster.clone(), serving.config.people.choice);
        let ports = |definition: &ChannelDefinition| {
            let channel = definition.developer_name.clone().unwrap_or_default();
            ports(&people, &webhooks, &Context { org: org.id, channel })
        };
        match OrgPlan::new(serving, org, clock, ports) {
            Ok(plan) => orgs.push(plan),
            Err(wrong) => mistakes.extend(wrong.iter().map(ToString::to_string)),
        }
    }
    if let Err(error) = serving.server.check() {
        mistakes.push(format!("server: {error}"));
    }
    mistakes.extend(has_no_room(&serving.store.path));
    if mistakes.is_empty() { Ok((orgs, webhooks)) } else { Err(Error::several(mistakes)) }
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

/// Opens the store, takes up what it has, and begins to read.
pub(super) async fn start(
    serving: &Serving,
    (orgs, webhooks): (Vec<OrgPlan>, Webhooks),
    clock: Arc<dyn Clock>,
) -> Result<Service, Error> {
    let settings = &serving.store;
    let options = store::Options {
        path: settings.path.clone(),
        retention: Retention { outcomes: settings.outcomes, ..Retention::default() },
        max_bytes: settings.max_bytes,
    };
    let store: Arc<dyn Store> =
        Arc::new(Sqlite::open(options).await.map_err(|error| cannot_use(&settings.path, &error))?);
    let notices = Notices::default();
    webhooks.report_to(&notices, &clock);
    let aside = Quarantine::beside(&settings.path).map_err(|error| {
        Error::new(format_args!(
            "store.path: cannot create a file beside {}: {error}",
            settings.path.display()
        ))
    })?;
    let plan = Plan { orgs, store, clock, notices, aside };
    Service::start(plan).await.map_err(|error| cannot_use(&settings.path, &error))
}

/// Begins to count; before anything starts, so that nothing goes uncounted. Must be called within a runtime.
pub(super) fn numbers() -> Result<Numbers, Error> {
    Numbers::begin().map_err(Error::new)
}

/// The HTTP server before a service.
pub(super) fn server(serving: &Serving, service: &Service, numbers: Numbers) -> Result<Server, Error> {
    let metrics = Arc::new(move || numbers.render());
    let parts = Parts { settings: serving.server.clone(), service: service.clone(), metrics };
    Server::new(parts).map_err(|error| Error::new(format_args!("server: {error}")))
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

fn cannot_use(path: &Path, error: &store::Error) -> Error {
    let instead = match error {
        store::Error::InUse(_) => "; stop the other one, or set another file",
        _ => "",
    };
    Error::new(format_args!("store.path: {} cannot be used: {error}{instead}", path.display()))
}
