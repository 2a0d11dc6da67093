//! A configuration that is read again while the process runs: what is new starts, what is gone stops, what has not
//! changed notices nothing, and a mistake changes nothing.

use std::fs;

use byoc_connector::model::ids::OrgId;
use serde_json::{Value, json};

use super::orgs::{OTHER, ask, entry, roster, until_joined};
use super::world::{Serve, World};

async fn reload(serve: &Serve) -> Value {
    serve.posted("/v1/configuration/reload", &Value::Null).await
}

fn write(world: &World, text: &str) {
    fs::write(world.path("byoc.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_comes_and_goes_while_the_other_goes_on() {
    let other = World::start_org(OrgId::parse(OTHER).unwrap(), roster(2)).await;
    let world = World::start(roster(1), "").await;
    let first = world.emulator.with(|salesforce, _| salesforce.settings().org);
    let serve = world.serve();
    serve.until_ready().await;
    let alone = fs::read_to_string(world.path("byoc.toml")).unwrap();

    let nothing = reload(&serve).await;
    let expected = json!({
        "added": [], "replaced": [], "removed": [], "unchanged": [first], "needsRestart": [], "leftOpen": 0
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

    write(&world, &alone.replace("[server]\n", "[server]\nlogin_url = 'https://login.example/'\n"));
    let removed = reload(&serve).await;
    assert_eq!((&removed["removed"], &removed["needsRestart"]), (&json!([OTHER]), &json!(["server"])));
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
