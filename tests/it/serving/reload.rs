//! A configuration that is read again while the process runs: what is new starts, what is gone stops, what has not
//! changed notices nothing, and a mistake changes nothing.

use std::fs;

use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{OrgId, RepId};
use byoc_connector::model::roster::{Rep, Script};
use serde_json::{Value, json};

use super::orgs::{OTHER, ask, entry, roster, until_joined};
use super::world::{Serve, World};

/// A rep of the other org who lets it ring.
const SILENT: &str = "005000000000203";

async fn reload(serve: &Serve) -> Value {
    serve.posted("/v1/configuration/reload", &Value::Null).await
}

fn write(world: &World, text: &str) {
    fs::write(world.path("byoc.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_comes_and_goes_while_the_other_goes_on() {
    let mut reps = roster(2);
    reps.reps.push(Rep { script: Script::Wait, ..Rep::named(SILENT.parse().unwrap()) });
    let other = World::start_org(OrgId::parse(OTHER).unwrap(), reps).await;
    let world = World::start(roster(1), "").await;
    let first = world.emulator.with(|salesforce, _| salesforce.settings().org);
    let serve = world.serve();
    serve.until_ready().await;
    let alone = fs::read_to_string(world.path("byoc.toml")).unwrap();

    let nothing = reload(&serve).await;
    let expected = json!({
        "added": [], "replaced": [], "removed": [], "unchanged": [first], "needsRestart": [],
        "leftOpen": { "requests": 0, "offers": 0, "psrs": 0, "owed": 0 }
    });
    assert_eq!(nothing, expected);

    let both = format!("{alone}{}", entry(&other));
    write(&world, &both);
    let added = reload(&serve).await;
    assert_eq!((&added["added"], &added["unchanged"]), (&json!([OTHER]), &json!([first])));
    serve.until_ready().await;
    until_joined(&other, &ask(&other, 2));
    until_joined(&world, &ask(&world, 1));

    write(&world, &both.replace(&format!("id = '{OTHER}'"), "id = '00X'"));
    let refused = reload(&serve).await;
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("not a valid org id")), "{refused}");
    until_joined(&other, &ask(&other, 2));

    write(&world, &both.replace("begin = 'earliest'\nchannels", "begin = 'latest'\nchannels"));
    let replaced = reload(&serve).await;
    assert_eq!((&replaced["replaced"], &replaced["unchanged"]), (&json!([OTHER]), &json!([first])));
    serve.until_ready().await;
    until_joined(&other, &ask(&other, 2));

    // A rep whom nobody plays: the offer rings on.
    let conversation = other.conversation(RepId::parse("005000000000201").unwrap());
    let asked = other.ask(&conversation, Target::Rep(SILENT.parse().unwrap()));
    other.until("it rings", |world| {
        world.emulator.with(|salesforce, _| {
            let mut works = salesforce.works();
            let rings = works.any(|work| work.correlation == asked && work.state.is_open());
            if rings { Ok(()) } else { Err("no offer".to_owned()) }
        })
    });
    write(&world, &alone.replace("[server]\n", "[server]\nlogin_url = 'https://login.example/'\n"));
    let removed = reload(&serve).await;
    assert_eq!((&removed["removed"], &removed["needsRestart"]), (&json!([OTHER]), &json!(["server"])));
    assert_eq!(removed["leftOpen"], json!({ "requests": 1, "offers": 1, "psrs": 0, "owed": 0 }));
    until_joined(&world, &ask(&world, 1));
    let gone = serve.get(&format!("/v1/routing-requests?org={OTHER}")).await;
    assert!(gone.contains("is not configured"), "{gone}");
    serve.until_idle().await;
    assert_eq!(serve.stop().0, Some(0));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_reads_the_configuration_again() {
    let other = World::start_org(OrgId::parse(OTHER).unwrap(), roster(2)).await;
    let world = World::start(roster(1), "").await;
    let serve = world.serve();
    serve.until_ready().await;
    let alone = fs::read_to_string(world.path("byoc.toml")).unwrap();
    write(&world, &format!("{alone}{}", entry(&other)));
    serve.hang_up();
    let request = ask(&other, 2);
    until_joined(&other, &request);
    assert_eq!(serve.stop().0, Some(0));
}
