//! The journal alone brings a conversation back.

use super::*;

#[test]
fn the_facts_give_the_state_back_and_the_open_commands_with_their_ids() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    let mut again = Conversation::new(chat.conversation.id().clone());
    for fact in &chat.facts {
        let stored = serde_json::to_string(fact).unwrap();
        again.apply(&serde_json::from_str(&stored).unwrap()).unwrap();
    }
    assert_eq!(again, chat.conversation);
    assert_eq!(again.outstanding(&chat.settings), chat.open);
}

#[test]
fn a_fact_that_does_not_fit_is_refused_and_named() {
    let chat = Scenario::ringing_from_queue();
    let mut conversation = chat.conversation.clone();
    let made = |fact: &&Fact| matches!(fact, Fact::OfRequest(_, RequestFact::RouteMade { .. }));
    let again = chat.facts.iter().find(made).unwrap();
    let error = conversation.apply(again).unwrap_err();
    assert!(error.to_string().contains("does not fit"), "{error}");
    assert_eq!(conversation, chat.conversation);
}

#[test]
fn the_state_is_a_plain_value() {
    let chat = Scenario::ringing_from_queue();
    let stored = serde_json::to_string(&chat.conversation).unwrap();
    assert_eq!(serde_json::from_str::<Conversation>(&stored).unwrap(), chat.conversation);
}
