//! The partner's backend ends a conversation, takes a rep out and closes a rep's work, by HTTP, as Salesforce lets it.

use byoc_connector::emulator::{Settings, WorkState};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ChannelAddressId, ConversationId, RepId, Subject};
use byoc_connector::model::words::SessionStatus;
use serde_json::{Value, json};

use super::world::{Serve, World};
use crate::support::replaying::command;

const ANN: &str = "005000000000001";
const BO: &str = "005000000000002";

fn rep(id: &str) -> RepId {
    RepId::parse(id).unwrap()
}

/// A conversation of two reps, of whom the connector knows.
async fn world() -> (World, Serve, ConversationId) {
    let roster = json!({ "reps": [
        { "id": ANN, "capacity": 10 },
        { "id": BO, "capacity": 10, "script": { "does": "accept", "afterMilliseconds": 20 } },
    ] });
    let world = World::start(serde_json::from_value(roster).unwrap(), "").await;
    let serve = world.serve();
    serve.until_ready().await;
    let conversation = world.conversation(rep(ANN));
    let request = world.ask(&conversation, Target::Rep(rep(BO)));
    serve.until_ended(&request, "joined").await;
    (world, serve, conversation)
}

fn address() -> ChannelAddressId {
    Settings::default().channel.address
}

fn body() -> Value {
    json!({ "channelAddressIdentifier": address(), "by": "EndUser" })
}

async fn byoc(serve: &Serve, args: &[&str]) -> (i32, String) {
    let mut command = command::byoc();
    command.arg("conversations").args(args).args(["--url", &serve.address().await]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code().unwrap(), command::stdout(&output) + &command::stderr(&output))
}

fn status(world: &World, conversation: &ConversationId) -> SessionStatus {
    world.emulator.with(|salesforce, _| salesforce.conversation(conversation).unwrap().status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_ended_by_name_and_ending_it_again_does_no_harm() {
    let (world, serve, conversation) = world().await;
    let work = world
        .emulator
        .with(|salesforce, _| *salesforce.conversation(&conversation).unwrap().works.last().unwrap());
    let close = format!("/v1/agent-work/{work}/close");
    assert_eq!(serve.posted(&close, &Value::Null).await, json!({ "closed": work }));
    let state = world.emulator.with(|salesforce, _| salesforce.work(work).unwrap().state);
    assert_eq!(state, WorkState::Closed);
    let path = format!("/v1/conversations/{conversation}");
    assert_eq!(serve.posted(&format!("{path}/inactivate"), &body()).await, json!({ "session": "inactive" }));
    assert_eq!(status(&world, &conversation), SessionStatus::Inactive);
    let end = format!("{path}/end");
    assert_eq!(serve.posted(&end, &body()).await, json!({ "session": "ended" }), "who and which is known");
    assert_eq!(status(&world, &conversation), SessionStatus::Ended);
    // Nobody is in it any more, so the caller says whose it was.
    let end_user =
        world.emulator.with(|salesforce, _| salesforce.conversation(&conversation).unwrap().end_user.clone());
    let again =
        json!({ "channelAddressIdentifier": address(), "by": "EndUser", "endUserClientId": end_user });
    assert_eq!(serve.post(&end, &again).await, 200);
    let (code, said) = byoc(
        &serve,
        &[
            "end",
            conversation.as_str(),
            "--channel-address",
            address().as_str(),
            "--end-user",
            end_user.as_str(),
        ],
    )
    .await;
    assert_eq!((code, said.as_str()), (0, "Done.\n"));
    let (code, said) =
        byoc(&serve, &["end", conversation.as_str(), "--channel-address", "no/where?", "--end-user", "eve"])
            .await;
    assert!(code == 1 && said.starts_with("Salesforce refused (10017): "), "{code} {said}");
    let nobody = serve.posted("/v1/conversations/3f0d2c1a-7b7e-4a43-9a05-2f1f3a3c9d10/end", &body()).await;
    assert_eq!(nobody["field"], "endUserClientId", "{nobody}");
    let elsewhere =
        json!({ "channelAddressIdentifier": "nowhere", "by": "System", "endUserClientId": "eve" });
    let refused = serve.posted(&end, &elsewhere).await;
    assert!(refused["error"].as_str().unwrap().starts_with("Salesforce refused (10017): "), "{refused}");
    assert_eq!(serve.stop().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_is_taken_out_unless_they_are_the_last() {
    let (world, serve, conversation) = world().await;
    let remove = |rep: &str| format!("/v1/conversations/{conversation}/participants/{rep}/remove");
    assert_eq!(serve.posted(&remove(BO), &Value::Null).await, json!({ "removed": BO }));
    world.until("bo is out", |world| {
        let inside = world
            .emulator
            .with(|salesforce, _| salesforce.conversation(&conversation).unwrap().reps().count());
        if inside == 1 { Ok(()) } else { Err(format!("{inside} reps")) }
    });
    let alone = world.conversation(rep(ANN));
    let request = world.ask(&alone, Target::External(Subject::parse("contact-1").unwrap()));
    serve.until_ended(&request, "refused").await;
    let last =
        serve.posted(&format!("/v1/conversations/{alone}/participants/{ANN}/remove"), &Value::Null).await;
    assert_eq!(last["field"], "participant", "{last}");
    assert_eq!(status(&world, &alone), SessionStatus::Active);
    assert_eq!(serve.stop().0, Some(0));
}
