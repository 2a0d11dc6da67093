//! News for the end user: tried again under one id, and what is refused is told apart from what may pass.

use std::sync::Mutex;

use byoc_connector::connector::TellError;
use byoc_connector::model::words::ParticipantRole;
use byoc_connector::routing::SessionNews;
use uuid::Uuid;

use super::*;

#[tokio::test]
async fn news_has_one_id_in_all_its_tries_whatever_fails_in_between() {
    let tries = Mutex::new(0);
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        assert_described(&question("endUserNotifier"), &body(request));
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        match *tries {
            1 => ResponseTemplate::new(500),
            2 => ResponseTemplate::new(200).set_delay(Duration::from_secs(5)),
            _ => ResponseTemplate::new(202).set_body_string("thank you"),
        }
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).mount(&server).await;
    let partner = Partner(server);
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    let news = News { after_gap: true, ..news("a", 7) };
    let id = Uuid::from_u128(7);
    notifier.tell(&news).await.unwrap();
    let requests = partner.requests().await;
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(header(request, "webhook-id"), id.to_string());
        assert_eq!(header(request, "requestid"), id.to_string());
        assert_eq!(header(request, "authorization"), "Bearer hush");
        let told = body(request);
        assert_eq!((&told["userId"], &told["joined"]), (&json!(rep(7)), &json!(true)));
        assert_eq!((&told["sequence"], &told["afterGap"]), (&json!(7), &json!(true)));
    }
}

#[tokio::test]
async fn news_without_a_gap_before_it_says_nothing_of_one() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(200)]).await;
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    notifier.tell(&news("a", 1)).await.unwrap();
    let told = body(&partner.requests().await[0]);
    assert_described(&question("endUserNotifier"), &told);
    assert_eq!((&told["sequence"], told.get("afterGap")), (&json!(1), None));
}

#[tokio::test]
async fn each_kind_of_news_has_its_name_and_what_belongs_to_it() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(200)]).await;
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    let kinds = [
        (Announced::Rep { rep: rep(1), joined: false }, "rep.left", json!(rep(1)), json!(null)),
        (Announced::Session(SessionNews::Waiting), "session.waiting", json!(null), json!(null)),
        (Announced::Session(SessionNews::Ended { by: None }), "session.ended", json!(null), json!(null)),
        (
            Announced::Session(SessionNews::Ended { by: Some(ParticipantRole::Agent) }),
            "session.ended",
            json!(null),
            json!("Agent"),
        ),
    ];
    for (number, (what, name, user, by)) in (0..).zip(kinds) {
        let mut news = news("a", 1);
        news.announcement.what = what;
        notifier.tell(&news).await.unwrap();
        let told = body(&partner.requests().await[number]);
        assert_described(&question("endUserNotifier"), &told);
        assert_eq!((&told["type"], &told["userId"], &told["endedBy"]), (&json!(name), &user, &by));
    }
}

#[tokio::test]
async fn news_that_is_refused_for_good_says_so() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(410)]).await;
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    let told = notifier.tell(&news("a", 1)).await;
    assert_eq!(told, Err(TellError::Refused("HTTP 410".to_owned())));
    assert_eq!(partner.requests().await.len(), 1);
}

#[tokio::test]
async fn news_that_is_not_taken_now_is_told_later() {
    for status in [408, 409, 425, 429, 500, 503] {
        let busy = ResponseTemplate::new(status).insert_header("Retry-After", "3600");
        let partner = Partner::answering("/tell", [busy]).await;
        let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
        let told = notifier.tell(&news("a", 1)).await;
        let (why, wait) = (format!("HTTP {status}"), Duration::from_secs(3_600));
        assert_eq!(told, Err(TellError::NotNow { why, wait }));
    }
}

#[tokio::test]
async fn a_slow_receiver_of_one_org_slows_no_other() {
    let server = MockServer::start().await;
    let slow = |request: &Request| body(request)["org"] == json!(context().org);
    let never = ResponseTemplate::new(202).set_delay(Duration::from_secs(3_600));
    Mock::given(slow).respond_with(never).mount(&server).await;
    let answer = ResponseTemplate::new(202);
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).with_priority(9).mount(&server).await;
    let partner = Partner(server);
    let webhooks = partner.webhooks();
    let stuck = webhooks.end_user_notifier(&context()).unwrap();
    let stuck: Vec<_> = (1..=300)
        .map(|number| {
            let stuck = stuck.clone();
            tokio::spawn(async move { stuck.tell(&news("a", number)).await })
        })
        .collect();
    while partner.requests().await.len() < 200 {
        tokio::task::yield_now().await;
    }
    let other = Context { org: OrgId::parse("00DHs0000000002").unwrap(), ..context() };
    webhooks.end_user_notifier(&other).unwrap().tell(&news("b", 1)).await.unwrap();
    assert!(stuck.iter().all(|told| !told.is_finished()), "it was told while the other waited");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}
