//! Each question finds what the org has, as typed values.

use byoc_connector::model::ids::{AgentWorkId, RepId};
use byoc_connector::org::WorkStatus;

use super::*;

#[tokio::test]
async fn queues_flows_people_and_presence_are_read() {
    let rig = Rig::start(json!({
        "reps": [
            { "id": "005Hu0000000001", "name": "Anna", "queues": ["00GHu0000000001"] },
            { "id": "005Hu0000000002", "name": "Bo", "availability": "OFFLINE" },
            { "id": "005Hu0000000003", "name": "Cem", "messaging": false },
        ],
        "queues": [{ "id": "00GHu0000000001", "name": "Billing" }],
        "flows": [{ "id": "300Hu0000000001", "name": "Triage" }],
    }))
    .await;
    let named = |found: serde_json::Value| {
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(named(json!(rig.reader.queues().await.unwrap())), ["Billing"]);
    assert_eq!(named(json!(rig.reader.flows().await.unwrap())), ["Triage"]);
    assert_eq!(named(json!(rig.reader.messaging_users().await.unwrap())), ["Anna", "Bo"]);
    let online: Vec<RepId> = rig.reader.presence().await.unwrap().iter().map(|one| one.rep).collect();
    assert_eq!(online, ["005Hu0000000001", "005Hu0000000003"].map(|id| RepId::parse(id).unwrap()));
    assert_eq!(u64::from(rig.reader.rest().budget().made().ours), rig.used());
}

#[tokio::test]
async fn the_session_of_a_conversation_is_found_and_nothing_else() {
    let rig = Rig::start(reps(1)).await;
    let (conversation, work_item) = rig.conversation();
    let (_, _another) = rig.conversation();
    assert_eq!(rig.reader.work_item(&conversation).await.unwrap(), Some(work_item));
    let unknown = ConversationId::parse("00000000-0000-4000-8000-000000000000").unwrap();
    assert_eq!(rig.reader.work_item(&unknown).await.unwrap(), None);
    let before = rig.used();
    for hostile in ["x' OR Id != '", "' OR '1' = '1", "abc"] {
        let hostile = ConversationId::parse(hostile).unwrap();
        assert_eq!(rig.reader.work_item(&hostile).await.unwrap(), None, "{hostile}");
    }
    assert_eq!(rig.used(), before, "what is no UUID was asked for");
}

#[tokio::test]
async fn open_work_is_read_with_its_session_and_its_rep() {
    let rig = Rig::start(reps(1)).await;
    let (conversation, work_item) = rig.conversation();
    let settings = Settings::default();
    let body = json!({
        "conversationIdentifier": conversation, "workItemId": work_item, "userId": "005Hu0000000000",
        "routingType": "Conference", "routingCorrelationId": "c", "capacityWeight": 1,
    });
    let made = reqwest::Client::new()
        .post(format!("{}/api/v1/agentWork", rig.address))
        .bearer_auth(TOKEN)
        .header("OrgId", settings.org.as_str())
        .header("RequestId", uuid::Uuid::new_v4().to_string())
        .header("AuthorizationContext", settings.channel.developer_name)
        .header("AuthorizationContextType", "ConversationChannelDefinition")
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = made.status();
    let made: serde_json::Value = made.json().await.unwrap();
    assert!(status.is_success(), "{made}");
    let open = rig.reader.work(&[WorkStatus::Assigned]).await.unwrap();
    let [work] = open.as_slice() else { panic!("{open:?}") };
    assert_eq!((work.work_item, work.rep.as_str()), (work_item, "005Hu0000000000"));
    assert_eq!(work.status, WorkStatus::Assigned);
    let _: AgentWorkId = work.id;
    assert_eq!(rig.reader.work(&[WorkStatus::Opened]).await.unwrap(), []);
    assert_eq!(rig.reader.work(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn the_channel_definition_is_read_by_its_name_with_the_partners_prefix_or_without() {
    let rig = Rig::start(reps(0)).await;
    let whole = Settings::default().channel.developer_name;
    let found = rig.reader.definition(&whole).await.unwrap().unwrap();
    assert_eq!(found.topic().unwrap(), Settings::default().events.topic);
    let prefixed = format!("acme_{whole}");
    assert_eq!(rig.reader.definition(&prefixed).await.unwrap(), Some(found));
    assert_eq!(rig.reader.definition("Other").await.unwrap(), None);
    assert_eq!(rig.reader.definitions().await.unwrap().len(), 1);
}
