//! Every shape that a call to the Interaction Service can have.

use std::collections::BTreeMap;

use byoc_connector::model::call::{
    BeginConversation, Call, Capacity, ChangeSession, ClearRoute, CreateAgentWork, MessageText, Removable,
    RemoveParticipant, ReportResult, Route, RouteBy, RoutingAttributes, RoutingOutcome, SendText,
    SessionChange, UpdateAgentWork, UpdateConsent,
};
use byoc_connector::model::ids::{
    AgentWorkId, ChannelAddressId, ConversationId, EventId, FlowId, QueueId, RepId, Subject, WorkItemId,
};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, ConsentStatus, OperationBy, RoutingType};
use uuid::Uuid;

/// Every shape that a call can have.
pub(crate) fn every_call() -> Vec<Call> {
    let conversation = ConversationId::parse("b6fd18c4-5a0b-4c5e-9c1f-0d6c1f6c9e11").unwrap();
    let rep = RepId::parse("0055e000001AbCd").unwrap();
    let work_item = WorkItemId::parse("0Mw5e000000XyZa").unwrap();
    let queue = QueueId::parse("00G5e000000QuEu").unwrap();
    let flow = FlowId::parse("3005e000000FlOw").unwrap();
    let mut calls = Vec::new();
    for &routing_type in RoutingType::ALL {
        for by in [RouteBy::ChannelSetting, RouteBy::Queue(queue), RouteBy::Flow { flow, fallback: queue }] {
            calls.push(Call::Route(Route { conversation: conversation.clone(), routing_type, by }));
        }
        for capacity in [
            None,
            Some(Capacity::Weight(0.0)),
            Some(Capacity::Weight(2.5)),
            Some(Capacity::Percentage(0.0)),
            Some(Capacity::Percentage(100.0)),
        ] {
            calls.push(Call::CreateAgentWork(CreateAgentWork {
                rep,
                work_item,
                conversation: conversation.clone(),
                routing_type,
                correlation: EventId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55").unwrap(),
                capacity,
            }));
        }
        for result in [
            RoutingOutcome::Routed,
            RoutingOutcome::RoutedExternally,
            RoutingOutcome::Failed("Nobody in this queue is free.".into()),
        ] {
            calls.push(Call::ReportResult(ReportResult {
                conversation: conversation.clone(),
                work_item,
                routing_type,
                result,
            }));
        }
    }
    for &reason in CancelReason::ALL {
        calls.push(Call::ClearRoute(ClearRoute { conversation: conversation.clone(), reason }));
    }
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    calls.extend([UpdateAgentWork::cancel(work), UpdateAgentWork::close(work)].map(Call::UpdateAgentWork));
    for who in [Removable::Rep(rep), Removable::Bot(Subject::parse("bot-1").unwrap())] {
        calls.push(Call::RemoveParticipant(RemoveParticipant { conversation: conversation.clone(), who }));
    }
    calls.extend(about_the_channel());
    calls
}

/// Those that routing never asks for.
fn about_the_channel() -> Vec<Call> {
    let channel = ChannelAddressId::parse("72a6a4ec-acbc-44f6-b2b9-e444248ca843").unwrap();
    let conversation = ConversationId::parse("b6fd18c4-5a0b-4c5e-9c1f-0d6c1f6c9e11").unwrap();
    let end_user = Subject::parse("customer-7").unwrap();
    let session = WorkItemId::parse("0Mw5e000000XyZa").unwrap();
    let mut calls = Vec::new();
    for &by in OperationBy::ALL {
        let changes =
            [SessionChange::End(None), SessionChange::End(Some(session)), SessionChange::Inactivate(session)];
        calls.extend(changes.map(|change| {
            let (channel, conversation) = (channel.clone(), conversation.clone());
            Call::ChangeSession(ChangeSession {
                channel,
                conversation,
                end_user: end_user.clone(),
                change,
                by,
            })
        }));
    }
    for &status in ConsentStatus::ALL {
        let (channel, end_user) = (channel.clone(), end_user.clone());
        calls.push(Call::UpdateConsent(UpdateConsent { channel, end_user, status }));
    }
    let named = RoutingAttributes(BTreeMap::from([("Language".to_owned(), "de".to_owned())]));
    for attributes in [RoutingAttributes::default(), named] {
        let (channel, end_user) = (channel.clone(), end_user.clone());
        calls.push(Call::SendText(SendText {
            channel: channel.clone(),
            end_user: end_user.clone(),
            entry: Uuid::from_u128(7),
            text: MessageText::try_from("\"Hello\",\r\n--7 is my order.".to_owned()).unwrap(),
            at: Timestamp::from_millis(1_780_000_000_000),
            attributes: attributes.clone(),
        }));
        calls.push(Call::BeginConversation(BeginConversation { channel, end_user, attributes }));
    }
    calls
}
