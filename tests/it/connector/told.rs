//! What the log and the numbers tell of a request: its life in a few lines, and every remark.

use byoc_connector::emulator::{Fault, FaultKind, Operation};
use byoc_connector::model::event::RoutingCancelled;
use byoc_connector::model::words::{CancelReason, RoutingType};
use tracing::Level;

use super::*;
use crate::support::log::Lines;

#[tokio::test(start_paused = true)]
async fn the_life_of_a_conference_is_told_in_a_few_lines_without_a_name() {
    let lines = Lines::default();
    let _keeping = lines.keep(Level::INFO);
    let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let (conversation, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &channel.handle(), Duration::from_secs(5)).await;
    channel.stop().await;
    let told = lines.told();
    let [asked, first, declined, second, accepted, ended] = told.as_slice() else { panic!("{told:#?}") };
    let (bo, cem) = (org.roster.reps[1].id, org.roster.reps[2].id);
    assert!(
        asked.starts_with("conference requested") && asked.contains("target=queue 00G000000000001"),
        "{asked}"
    );
    assert_eq!(first, &format!("offer made rep={bo}"));
    assert_eq!(declined, &format!("offer ended rep={bo} reason=\"declined\""));
    assert_eq!(second, &format!("offer made rep={cem}"));
    assert_eq!(accepted, &format!("offer accepted rep={cem}"));
    assert!(ended.starts_with("request ended outcome=joined reason=The rep accepted. seconds="), "{ended}");
    let whole = lines.whole();
    for line in whole.lines() {
        let span = format!("conversation={conversation} request={request}");
        assert!(line.contains(&span), "{line} is about {span}");
    }
    for rep in &org.roster.reps {
        assert!(!whole.contains(&rep.name), "{} is in\n{whole}", rep.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_remark_is_a_line_and_a_count() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let numbers = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let lines = Lines::default();
    let _keeping = lines.keep(Level::INFO);
    let org = Org::new(&[Script::Wait]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let conversation = ConversationId::parse("chat-1").unwrap();
    let cancelled = EventKind::RoutingCancelled(RoutingCancelled {
        entry: None,
        reason: CancelReason::Cancel,
        routing_type: Some(RoutingType::Conference),
        psr: None,
        by: None,
        initiator: None,
        work: None,
    });
    for _ in 0..2 {
        let event = Event { conversation: Some(conversation.clone()), what: cancelled.clone() };
        let delivery = Delivery { events: [event].into_iter().collect(), ..Delivery::default() };
        channel.handle().deliver(delivery).await.unwrap();
    }
    channel.stop().await;
    let whole = lines.whole();
    let told: Vec<&str> =
        whole.lines().filter(|line| line.contains("reason=\"nothing_to_cancel\"")).collect();
    assert!(told.len() == 2 && told.iter().all(|line| line.contains("conversation=chat-1")), "{whole}");
    let rendered = numbers.render();
    let count = rendered.lines().find(|line| line.starts_with("byoc_remarks_total")).unwrap_or_default();
    assert!(count.contains("reason=\"nothing_to_cancel\"") && count.ends_with(" 2"), "{rendered}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_undone_is_a_warning_each_time_it_was_tried() {
    let lines = Lines::default();
    let _keeping = lines.keep(Level::INFO);
    let org = Org::new(&[Script::Wait, Script::Ignore]);
    let refused = FaultKind::ErrorCode { code: 10003, status: 403 };
    let fault = Fault { times: None, ..Fault::once(Operation::UpdateAgentWork, refused) };
    org.salesforce.lock().unwrap().plan_fault(fault);
    let channel = org.start(Arc::new(Memory::default())).await;
    let (conversation, _) = org.ask();
    let mut stream = Stream::default();
    // The ring time, and the wait of ten seconds before the second try.
    stream.run(&org, &channel.handle(), Duration::from_secs(42)).await;
    channel.stop().await;
    let whole = lines.whole();
    let warned: Vec<&str> =
        whole.lines().filter(|line| line.contains("clean-up at Salesforce failed")).collect();
    assert_eq!(warned.len(), 2, "{whole}");
    let said = format!("undo=\"cancelOffer\" rep={} code=10003 status=403 next=", org.roster.reps[1].id);
    for line in warned {
        assert!(line.contains("WARN") && line.contains(&format!("conversation={conversation}")), "{line}");
        assert!(line.contains(&said), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_nobody_can_name_is_a_warning() {
    let lines = Lines::default();
    let _keeping = lines.keep(Level::INFO);
    let org = Org::new(&[Script::Wait, Script::Ignore]);
    let lost = FaultKind::AnswerLost { after_milliseconds: 0 };
    let fault = Fault { times: None, ..Fault::once(Operation::CreateAgentWork, lost) };
    org.salesforce.lock().unwrap().plan_fault(fault);
    let channel = org.start(Arc::new(Memory::default())).await;
    let (conversation, _) = org.ask();
    // What comes with the request; of the offer neither the event nor a page tells.
    Stream::default().pump(&org, &channel.handle()).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    channel.stop().await;
    let whole = lines.whole();
    let warned: Vec<&str> = whole.lines().filter(|line| line.contains("no event named it")).collect();
    let [line] = warned.as_slice() else { panic!("{whole}") };
    let said = format!("rep={} until=", org.roster.reps[1].id);
    assert!(line.contains("WARN") && line.contains(&said), "{line}");
    assert!(line.contains(&format!("conversation={conversation}")), "{line}");
}
