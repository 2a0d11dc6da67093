//! News for the end user: in their order, tried again, holding up no other conversation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::*;

/// Who was told of, by conversation, in the order in which it was taken.
type Taken = Arc<Mutex<HashMap<String, Vec<String>>>>;

#[tokio::test]
async fn the_news_of_a_conversation_come_in_their_order_whatever_fails_in_between() {
    let taken = Taken::default();
    let failed = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
    let server = MockServer::start().await;
    let (books, fails) = (Arc::clone(&taken), Arc::clone(&failed));
    let answer = move |request: &Request| {
        let body = body(request);
        assert_described(&question("endUserNotifier"), &body);
        let (conversation, user) = (body["conversationIdentifier"].to_string(), body["userId"].to_string());
        assert_eq!(body["joined"], !user.trim_matches('"')[3..].parse::<u32>().unwrap().is_multiple_of(3));
        // Every other news fails at first, in its own way.
        let mut fails = fails.lock().unwrap();
        let tries = fails.entry(header(request, "requestid").to_owned()).or_default();
        *tries += 1;
        if *tries == 1 && user.ends_with("2\"") {
            return ResponseTemplate::new(500);
        }
        if *tries == 1 && user.ends_with("4\"") {
            return ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
        }
        // A partner that is slow beyond the time-out takes the same again.
        let mut books = books.lock().unwrap();
        let taken = books.entry(conversation).or_default();
        if !taken.contains(&user) {
            taken.push(user);
        }
        ResponseTemplate::new(202).set_body_string("thank you")
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).mount(&server).await;
    let partner = Partner(server);
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    for number in 1..=6 {
        for conversation in ["a", "b", "c"] {
            notifier.tell(news(conversation, number)).await;
        }
    }
    notifier.settled().await;
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    let expected: Vec<String> = (1..=6).map(|number| format!("\"{}\"", rep(number))).collect();
    for conversation in ["\"a\"", "\"b\"", "\"c\""] {
        assert_eq!(taken[conversation], expected, "{conversation}");
    }
    assert_eq!(header(&partner.requests().await[0], "authorization"), "Bearer hush");
}

#[tokio::test]
async fn a_conversation_whose_news_is_not_taken_holds_up_no_other() {
    let (told, mut others) = tokio::sync::mpsc::unbounded_channel();
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        if body(request)["conversationIdentifier"] == "stuck" {
            return ResponseTemplate::new(503);
        }
        told.send(()).unwrap();
        ResponseTemplate::new(200)
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).mount(&server).await;
    let notifier = Partner(server).webhooks().end_user_notifier(&context()).unwrap();
    notifier.tell(news("stuck", 1)).await;
    notifier.tell(news("stuck", 2)).await;
    notifier.tell(news("free", 1)).await;
    others.recv().await.unwrap();
}

#[tokio::test]
async fn news_that_is_refused_for_good_is_given_up_and_the_next_is_told() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(410), ResponseTemplate::new(200)]).await;
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    notifier.tell(news("a", 1)).await;
    notifier.tell(news("a", 2)).await;
    notifier.settled().await;
    let told: Vec<Value> =
        partner.requests().await.iter().map(|request| body(request)["userId"].clone()).collect();
    assert_eq!(told, [json!(rep(1)), json!(rep(2))]);
}
