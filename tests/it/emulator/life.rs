//! A request's life: from the click to the join or the result, what it costs, and who is told.

use super::*;

#[test]
fn a_queue_conference_from_the_request_to_the_join() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    assert_eq!(org.told(), ["RoutingRequested"]);
    let psr = org.routes(seconds(1));
    assert_eq!(org.told(), ["RoutingResult None"]);
    let work = org.offers(seconds(2), BO, &request, None);
    assert_eq!(org.salesforce.work(work).unwrap().psr, Some(psr));
    assert_eq!(org.told(), ["ASSIGNED", "RoutingWorkResult Assigned"]);
    org.reports(seconds(2), true);
    org.salesforce.act(seconds(9), Act::Accept { work }).unwrap();
    assert_eq!(org.told(), ["ACCEPTED", "RoutingWorkResult Accepted", "ParticipantChanged add"]);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO)]);
    assert_eq!(org.salesforce.psrs().count(), 0, "the PSR goes by itself");
    assert_eq!(org.ending(&request), Some(RequestEnd::Joined { rep: rep(BO) }));
    assert!(org.salesforce.leftovers().is_empty());
    assert_eq!(effective_results(org.salesforce.books(), &request), 1);
    org.salesforce.advance(seconds(100));
    assert_eq!(org.salesforce.books().count(|it| matches!(it, LedgerEvent::RequestUnanswered { .. })), 0);
}

#[test]
fn a_flow_answers_with_its_rep_its_queue_or_the_fallback() {
    let other = QueueId::parse("00GHu0000000002").unwrap();
    let mut roster = roster();
    roster.queues.push(Queue {
        id: other,
        name: String::new(),
        wait_seconds: None,
        accepted_last_10_minutes: 0,
        reps: Vec::new(),
    });
    let mut org = Org::with(Settings::default(), roster);
    for (number, map) in [
        (1, json!({ "userId": rep(BO).to_18() })),
        (2, json!({ "queueId": queue().to_18() })),
        (3, json!({ "queueId": other.to_18() })),
    ] {
        let request = org.asks_for(START, Target::Flow { flow: flow(number), fallback: Some(other) });
        let body = org.route_body(&json!({ "flow": { "flowId": flow(number), "queueId": other } }));
        let answer = org.call(START, "POST", "/api/v1/route", &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.body["contextParamMap"], map);
        assert_eq!(answer.body["routingCorrelationId"], json!(request));
        assert_eq!(answer.body["workItemId"], json!(org.work_item.to_18()));
    }
    assert_eq!(org.salesforce.psrs().count(), 3);
}

#[test]
fn scripted_reps_answer_at_their_own_time() {
    let mut org = Org::scripted(BO, Script::Decline { after_milliseconds: 2_000 });
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    let declined = org.offers(START, BO, &request, None);
    assert_eq!(org.salesforce.deadline(), Some(seconds(2)));
    org.salesforce.advance(START + Duration::from_millis(1_999));
    assert_eq!(org.state(declined), WorkState::Assigned);
    org.salesforce.advance(seconds(5));
    assert_eq!(org.state(declined), WorkState::Declined);
    let told = org.salesforce.take_events();
    assert_eq!(told.last().unwrap().at, seconds(2), "it happened at its own time");
    assert_eq!(org.salesforce.psrs().count(), 1, "the PSR waits for the next rep");
    // The next offer of the same PSR is to somebody else, and is answered by nobody.
    let ignored = org.offers(seconds(5), CLEO, &request, None);
    assert_eq!(org.cancels(seconds(35), ignored).status, 202);
    assert_eq!(org.state(ignored), WorkState::Cancelled);
    assert_eq!(org.clears(seconds(35), "Unavailable").body, json!({ "success": true }));
    org.reports(seconds(35), false);
    assert_eq!(org.ending(&request), Some(RequestEnd::Refused { message: "nobody is free".to_owned() }));
    assert!(org.salesforce.leftovers().is_empty());
    assert_eq!(most_open_offers(org.salesforce.books(), &request), 1);
}

#[test]
fn two_reps_may_accept_the_same_request_and_the_second_can_be_removed() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    let first = org.offers(START, BO, &request, None);
    let second = org.offers(START, CLEO, &request, None);
    assert_eq!(most_open_offers(org.salesforce.books(), &request), 2);
    org.salesforce.act(seconds(1), Act::Accept { work: first }).unwrap();
    assert_eq!(org.salesforce.leftovers().offers, [second]);
    org.salesforce.act(seconds(1), Act::Accept { work: second }).unwrap();
    assert_eq!(org.salesforce.books().count(|it| matches!(it, LedgerEvent::LateJoin { .. })), 1);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO), rep(CLEO)]);
    let remove = |number: u32| {
        json!({
            "conversationIdentifier": org.conversation, "operation": "Remove",
            "participants": [{ "appType": "agent", "subject": rep(number).to_18(), "role": "Agent" }],
        })
    };
    let (cleo, bo, anna) = (remove(CLEO), remove(BO), remove(ANNA));
    drop(org.told());
    let answer = org.call(seconds(2), "POST", "/api/v1/participant", &cleo);
    assert_eq!((answer.status, answer.body), (200, json!({ "success": true })));
    assert_eq!(org.told(), ["CLOSED", "RoutingWorkResult Closed", "ParticipantChanged remove"]);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO)]);
    assert_eq!(org.call(seconds(2), "POST", "/api/v1/participant", &cleo).code(), Some(10036));
    assert_eq!(org.call(seconds(2), "POST", "/api/v1/participant", &bo).status, 200);
    assert_eq!(
        org.call(seconds(2), "POST", "/api/v1/participant", &anna).code(),
        Some(10097),
        "the last rep"
    );
}

#[test]
fn an_offer_costs_capacity_until_it_ends() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let used = |org: &Org| org.salesforce.rep(rep(BO)).unwrap().capacity_used.to_string();
    let first = org.offers(START, BO, &request, Some(2.5));
    assert_eq!(used(&org), "2.5");
    org.cancels(START, first);
    assert_eq!(used(&org), "0");
    let mut body = org.offer_body(BO, &request);
    body["capacityPercentage"] = json!(50);
    let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
    assert_eq!(answer.body["agentWorkDetails"]["existPsr"], json!(false));
    assert_eq!(used(&org), "5");
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    let leaves = Act::RepLeaves { conversation: org.conversation.clone(), rep: rep(BO) };
    org.salesforce.act(START, leaves).unwrap();
    assert_eq!(used(&org), "0");
    assert_eq!(org.state(work), WorkState::Closed);
}

#[test]
fn sixty_seconds_without_a_result_mark_a_request_failed() {
    let mut org = Org::new();
    let late = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &late, Some(1.0));
    assert_eq!(org.salesforce.deadline(), Some(seconds(60)));
    org.reports(seconds(60), true);
    assert_eq!(org.ending(&late), Some(RequestEnd::MarkedFailed));
    assert_eq!(org.verdicts(), [ResultEffect::Late]);
    assert_eq!(
        org.salesforce.leftovers().offers,
        [work],
        "it still rings: the partner should have cancelled"
    );
    // A rep who accepts all the same is in, and the books say so.
    org.salesforce.act(seconds(61), Act::Accept { work }).unwrap();
    assert_eq!(org.salesforce.books().count(|it| matches!(it, LedgerEvent::LateJoin { .. })), 1);
}

#[test]
fn a_result_counts_once_and_only_when_it_was_asked_for() {
    let mut org = Org::new();
    org.reports(START, true);
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    org.offers(START, BO, &request, Some(1.0));
    org.reports(START + Duration::from_millis(59_999), true);
    org.reports(seconds(60), false);
    assert_eq!(org.verdicts(), [ResultEffect::Unasked, ResultEffect::Effective, ResultEffect::Repeated]);
    assert_eq!(org.ending(&request), None, "the repeated failure changed nothing");
    assert_eq!(org.salesforce.books().results(&request), 2);
}

#[test]
fn of_two_open_requests_a_result_finds_the_one_that_it_fits() {
    let mut org = Org::new();
    let first = org.asks_for(START, Target::Queue(queue()));
    let second = org.asks_for(START, Target::Rep(rep(BO)));
    org.offers(START, BO, &second, Some(1.0));
    org.reports(START, true);
    assert!(org.salesforce.request(&first).unwrap().answered.is_none());
    assert!(org.salesforce.request(&second).unwrap().answered.is_some());
    org.reports(START, false);
    assert!(matches!(org.ending(&first), Some(RequestEnd::Refused { .. })));
}

#[test]
fn a_transfer_waits_for_room_cannot_be_refused_and_takes_the_requester_out() {
    let mut org = Org::new();
    let busy = Act::SetPresence { rep: rep(BO), availability: Availability::Busy };
    org.salesforce.act(START, busy).unwrap();
    let request = org.transfers_to(START, BO);
    let mut body = org.offer_body(BO, &request);
    body["routingContext"]["routingType"] = json!("Transfer");
    body["capacityWeight"] = json!(1);
    let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    assert_eq!(org.state(work), WorkState::Waiting);
    let free = Act::SetPresence { rep: rep(BO), availability: Availability::Available };
    org.salesforce.act(seconds(90), free).unwrap();
    assert_eq!(org.state(work), WorkState::Assigned);
    let declined = org.salesforce.act(seconds(90), Act::Decline { work });
    assert_eq!(declined, Err(ActError::TransfersAreNotDeclined { work }));
    let cancelled = org.salesforce.act(seconds(90), Act::CancelRequest { request: request.clone() });
    assert_eq!(cancelled, Err(ActError::TransfersAreNotCancelled { request }));
    org.salesforce.act(seconds(91), Act::Accept { work }).unwrap();
    assert_eq!(org.reps(), [rep(BO)]);
}

#[test]
fn an_external_transfer_ends_with_its_result() {
    let mut org = Org::new();
    let act = Act::RequestTransfer {
        conversation: org.conversation.clone(),
        requester: Some(rep(ANNA)),
        target: Target::External(Subject::parse("contact-4").unwrap()),
    };
    let Done::Requested { request } = org.salesforce.act(START, act).unwrap() else { panic!() };
    let mut body = org.result_body(true);
    body["routingType"] = json!("Transfer");
    body["externallyRouted"] = json!(true);
    assert_eq!(org.call(START, "POST", "/api/v1/routingResult", &body).status, 202);
    assert_eq!(org.ending(&request), Some(RequestEnd::RoutedExternally));
}

#[test]
fn passing_the_limit_of_participants_is_booked() {
    let mut settings = Settings::default();
    settings.channel.participant_limit = Some(2);
    let mut org = Org::with(settings, roster());
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    let over =
        |it: &LedgerEvent| matches!(it, LedgerEvent::ParticipantJoined { over_limit: true, count: 3, .. });
    assert_eq!(org.salesforce.books().count(over), 1);
}

#[test]
fn the_partner_is_told_of_offers_on_the_platform_event_only_where_the_channel_says_so() {
    let mut org = Org::with(Settings::default(), roster());
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    let work = org.offers(START, BO, &request, Some(1.0));
    assert_eq!(org.told(), ["ASSIGNED"]);
    org.salesforce.act(START, Act::Decline { work }).unwrap();
    assert_eq!(org.told(), ["DECLINED"]);
}

#[test]
fn a_route_that_was_made_twice_leaves_no_psr_after_the_join() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    org.routes(START);
    let work = org.offers(START, BO, &request, None);
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.salesforce.psrs().count(), 0);
}
