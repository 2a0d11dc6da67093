//! Operations that routing does not ask for, from the connector's client to the emulator over HTTP.

use byoc_connector::interaction::{Attempt, Client, Failure, FixedToken};
use byoc_connector::model::call::{
    BeginConversation, ChangeSession, MessageText, RoutingAttributes, SendText, Sent, SessionChange,
};
use byoc_connector::model::ids::{ChannelAddressId, ConversationId, Subject, WorkItemId};
use byoc_connector::model::time::SystemClock;
use byoc_connector::model::words::OperationBy;
use uuid::Uuid;

use super::*;

impl Server {
    /// The connector's own client.
    fn connector(&self) -> Client {
        let Settings { org, channel, .. } = Settings::default();
        let token = Arc::new(FixedToken::new(FIXED));
        Client::builder(&self.address, org, channel.developer_name, token).build().unwrap()
    }

    async fn conversations(&self) -> Value {
        self.get("/emulator/v1/state").await["conversations"].take()
    }
}

/// A call that nobody has made, and ten seconds for it.
fn attempt() -> Attempt {
    let give_up_at = SystemClock.now() + Duration::from_secs(10);
    Attempt { request_id: Uuid::new_v4(), give_up_at }
}

fn channel() -> ChannelAddressId {
    Settings::default().channel.address
}

/// The code that a call was refused with.
fn code<T: std::fmt::Debug>(made: Result<T, Failure>) -> Option<u32> {
    match made {
        Err(Failure::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_becomes_inactive_and_ends() {
    let server = Server::start().await;
    let (started, _) = a_conference(&server).await;
    let session = WorkItemId::parse(started["workItem"].as_str().unwrap()).unwrap();
    let end_user = server.conversations().await[0]["endUser"].as_str().unwrap().to_owned();
    let change = |change| ChangeSession {
        channel: channel(),
        conversation: ConversationId::parse(started["conversation"].as_str().unwrap()).unwrap(),
        end_user: Subject::parse(&end_user).unwrap(),
        change,
        by: OperationBy::EndUser,
    };
    let client = server.connector();
    assert_eq!(client.make(attempt(), change(SessionChange::Inactivate(session))).await, Ok(()));
    assert_eq!(server.conversations().await[0]["status"], "Inactive");
    let somebody =
        ChangeSession { end_user: Subject::parse("nobody").unwrap(), ..change(SessionChange::End(None)) };
    assert_eq!(code(client.make(attempt(), somebody).await), Some(10105));
    server.does("faults", json!({ "fault": "answerLost", "operation": "messagingSession" })).await;
    let end = change(SessionChange::End(Some(session)));
    assert_eq!(client.make(attempt(), end).await, Ok(()), "the second try finds no session");
    assert_eq!(server.conversations().await[0]["status"], "Ended");
    server.stops().await;
}

#[tokio::test]
async fn a_conversation_whose_answer_is_lost_is_not_known_again() {
    let server = Server::start().await;
    let client = server.connector();
    let end_user = Subject::parse("customer-7").unwrap();
    let call = || BeginConversation {
        channel: channel(),
        end_user: end_user.clone(),
        attributes: RoutingAttributes::default(),
    };
    server.does("faults", json!({ "fault": "answerLost", "operation": "conversation" })).await;
    let made = client.make(attempt(), call()).await;
    assert!(matches!(made, Err(Failure::Lost { .. })), "{made:?}");
    let known = server.conversations().await;
    assert_eq!(known.as_array().unwrap().len(), 1);
    assert_eq!(known[0]["endUser"], "customer-7");
    server.does("faults", json!({ "fault": "rateLimited", "operation": "conversation" })).await;
    let made = client.make(attempt(), call()).await.unwrap();
    let known = server.conversations().await;
    assert_eq!(known.as_array().unwrap().len(), 2, "what was put off is made again");
    let is_known =
        known.as_array().unwrap().iter().any(|it| it["id"] == made.conversation.as_ref().unwrap().as_str());
    assert!(is_known && made.work_item.is_some());
    server.stops().await;
}

#[tokio::test]
async fn a_text_whose_answer_is_lost_is_sent_again_and_there_once() {
    let server = Server::start().await;
    let client = server.connector();
    let text = |entry| SendText {
        channel: channel(),
        end_user: Subject::parse("customer-7").unwrap(),
        entry,
        text: MessageText::try_from("Where is my order?".to_owned()).unwrap(),
        at: SystemClock.now(),
        attributes: RoutingAttributes::default(),
    };
    let entry = Uuid::new_v4();
    server.does("faults", json!({ "fault": "answerLost", "operation": "interactions" })).await;
    assert_eq!(client.make(attempt(), text(entry)).await, Ok(Sent::default()), "10073: the first try was it");
    assert_eq!(code(client.make(attempt(), text(entry)).await), Some(10073), "no try of this one was lost");
    let sent = client.make(attempt(), text(Uuid::new_v4())).await.unwrap();
    let there = server.conversations().await;
    assert_eq!(there.as_array().unwrap().len(), 1);
    assert_eq!(there[0]["id"], sent.conversation.unwrap().as_str());
    let books = server.get("/emulator/v1/books").await["entries"].take();
    let taken = books.as_array().unwrap().iter().filter(|it| it["kind"] == "messageTaken");
    let ids: Vec<&str> = taken.map(|it| it["entry"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), ids[0]), (2, entry.to_string().as_str()));
    server.stops().await;
}
