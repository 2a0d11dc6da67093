//! An event goes to the store with what names it, so that it changes nothing under whatever place it comes again.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_event_is_stored_with_its_cause_and_changes_nothing_when_it_comes_again() {
    let stage = Stage::set().await;
    let json = recorded().pop().unwrap();
    stage.send.send(as_event(1, &json)).unwrap();
    settle().await;
    // With what, and with how much, the turn that moves the stream there goes to the store.
    let turn_at = |number: u8| {
        let place = store::Position::new("/event/Test__e", &[number]).unwrap();
        let waiting = stage.store.lock();
        let turn = waiting.iter().map(|(_, turn)| turn).find(|turn| turn.position.as_ref() == Some(&place));
        turn.map(|turn| (turn.cause.clone(), turn.change.is_some()))
    };
    let cause = Cause::named(&identity::of_platform_event(&json)).unwrap();
    assert_eq!(turn_at(1), Some((Some(cause.clone()), true)));
    stage.store.answer_all().await;
    let seen = stage.store.seen(&key(), std::slice::from_ref(&cause)).await.unwrap();
    assert_eq!(seen, [true]);

    stage.send.send(as_event(2, &json)).unwrap();
    settle().await;
    assert_eq!(turn_at(2), Some((Some(cause), false)), "how far the stream is read, and no more");
    stage.stops().await;
}
