//! What the end user writes.

use byoc_connector::emulator::Operation;
use byoc_connector::model::words::SessionStatus;

use super::refusals::changed;
use super::*;

impl Org {
    fn message(&self, number: u32) -> Value {
        let id = format!("3f0f5a52-7a57-4d43-9a6c-{number:012}");
        json!({
            "to": self.salesforce.settings().channel.address, "from": "customer-7",
            "interactions": [{
                "interactionType": "EntryInteraction", "timestamp": START.as_millis(),
                "payload": {
                    "entryType": "Message", "id": id,
                    "abstractMessage": {
                        "messageType": "StaticContentMessage", "id": id,
                        "staticContent": { "formatType": "Text", "text": "Where is my order?" },
                    },
                },
            }],
        })
    }

    fn writes(&mut self, body: &Value) -> ApiResponse {
        let form = format!(
            "--a-line\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{body}\r\n--a-line--\r\n"
        );
        self.sends("multipart/form-data; boundary=a-line", &form)
    }

    fn sends(&mut self, content_type: &str, body: &str) -> ApiResponse {
        self.calls += 1;
        let mut request = request("POST", "/api/v1/interactions", &Value::Null, self.calls);
        let is_type = |header: &&mut (String, String)| header.0 == "content-type";
        request.headers.iter_mut().find(is_type).unwrap().1.replace_range(.., content_type);
        request.body = body.as_bytes().to_vec();
        self.salesforce.handle(START, &request)
    }

    fn messages(&self) -> usize {
        self.salesforce.books().count(|it| matches!(it, LedgerEvent::MessageTaken { .. }))
    }
}

#[test]
fn the_first_message_begins_a_conversation_and_the_next_belongs_to_it() {
    let mut org = Org::new();
    let first = org.writes(&org.message(1));
    assert_eq!(first.status, 202, "{first:?}");
    assert_eq!(org.told(), ["SessionStatusChanged New", "ParticipantChanged add"]);
    let second = org.writes(&org.message(2));
    for key in ["conversationIdentifier", "workItemIds"] {
        assert_eq!(first.body[key], second.body[key], "{key}");
    }
    assert_eq!((org.told(), org.messages()), (Vec::new(), 2));
    if let Some(inbound) = super::published::schemas("inbound-interaction-api.yaml") {
        super::published::conforms(&inbound, "InteractionRequestJson", &org.message(1));
        super::published::conforms(&inbound, "PostInteractionResponse", &first.body);
    }
    let id = ConversationId::parse(first.body["conversationIdentifier"].as_str().unwrap()).unwrap();
    org.salesforce.act(START, Act::EndUserLeaves { conversation: id }).unwrap();
    let third = org.writes(&org.message(3));
    assert_ne!(third.body["conversationIdentifier"], first.body["conversationIdentifier"], "that is over");
}

#[test]
fn a_message_wakes_its_session_up() {
    let mut org = Org::new();
    let id = org.writes(&org.message(1)).body["conversationIdentifier"].as_str().unwrap().to_owned();
    org.conversation = ConversationId::parse(&id).unwrap();
    org.work_item = org.salesforce.conversation(&org.conversation).unwrap().work_item;
    assert_eq!(
        org.call(START, "POST", "/api/v1/messagingSession", &org.session_body("Inactivate")).status,
        200
    );
    org.writes(&org.message(2));
    assert_eq!(org.salesforce.conversation(&org.conversation).unwrap().status, SessionStatus::Waiting);
}

#[test]
fn a_message_that_is_there_is_not_taken_again_whatever_was_answered() {
    let mut org = Org::new();
    let fault = Fault {
        operation: Some(Operation::Interactions),
        ..serde_json::from_value(json!({ "fault": "answerLost" })).unwrap()
    };
    org.salesforce.plan_fault(fault);
    assert_eq!(org.writes(&org.message(1)).status, 202);
    assert_eq!(org.writes(&org.message(1)).code(), Some(10073));
    assert_eq!(org.messages(), 1);
}

#[test]
fn every_wrong_message_has_its_code() {
    let mut org = Org::new();
    let good = org.message(1);
    let at = |path: &str| format!("/interactions/0/{path}");
    let table = [
        (changed(&good, "/to", json!("elsewhere")), 10027),
        (changed(&good, "/from", Value::Null), 10028),
        (changed(&good, "/from", json!("x".repeat(256))), 10028),
        (changed(&good, "/interactions", json!([])), 10029),
        (changed(&good, "/interactions", json!([good["interactions"][0], good["interactions"][0]])), 10029),
        (changed(&good, &at("timestamp"), Value::Null), 10089),
        (changed(&good, &at("interactionType"), json!("AttachmentInteraction")), 10089),
        (changed(&good, &at("payload/entryType"), json!("TypingStartedIndicator")), 10045),
        (changed(&good, &at("payload/id"), Value::Null), 10059),
        (changed(&good, &at("payload/id"), json!("another")), 10060),
        (changed(&good, &at("payload/abstractMessage/messageType"), json!("FormMessage")), 10062),
        (changed(&good, &at("payload/abstractMessage/staticContent/formatType"), json!("Links")), 10049),
        (changed(&good, &at("payload/abstractMessage/staticContent/text"), json!("")), 10045),
    ];
    for (body, code) in table {
        let answer = org.writes(&body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    let json = "application/json";
    assert_eq!(org.sends(json, &good.to_string()).code(), Some(10016));
    let form = "multipart/form-data; boundary=a-line";
    for (body, code) in [
        ("", 10100),
        ("--a-line--", 10089),
        ("--a-line\r\nno end", 10089),
        (
            "--a-line\r\nContent-Disposition: form-data; name=\"attachments\"\r\n\r\nGIF89\r\n--a-line--",
            10089,
        ),
        ("--a-line\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n[]\r\n--a-line--", 10089),
    ] {
        assert_eq!(org.sends(form, body).code(), Some(code), "{body}");
    }
    assert_eq!(org.sends("multipart/form-data", "x").code(), Some(10089));
    assert_eq!(org.messages(), 0);
}
