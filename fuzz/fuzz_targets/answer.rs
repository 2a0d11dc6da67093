//! An answer of the Interaction Service: two bytes for the status, then its body. And a `Retry-After`.
#![no_main]

use byoc_connector::interaction::{decode, parse_retry_after};
use byoc_connector::model::call::{Call, UpdateAgentWork, ClearRoute, Route, RouteBy};
use byoc_connector::model::ids::{AgentWorkId, ConversationId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, RoutingType};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = u16::from_le_bytes(*status);
    let conversation = ConversationId::parse("c-1").expect("a name");
    let calls = [
        Call::Route(Route {
            conversation: conversation.clone(),
            routing_type: RoutingType::Conference,
            by: RouteBy::ChannelSetting,
        }),
        Call::ClearRoute(ClearRoute { conversation, reason: CancelReason::Decline }),
        Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").expect("an id"))),
    ];
    let text = String::from_utf8_lossy(body);
    let wait = [i64::MIN, 0, i64::MAX].map(|now| parse_retry_after(&text, Timestamp::from_millis(now)));
    for call in &calls {
        drop(decode(call, status, wait[1], body));
    }
});
