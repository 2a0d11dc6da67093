//! What was not processed is brought again, all of it and in its order, less and less often; and only so much is under
//! way at once.

use super::*;

#[tokio::test(start_paused = true)]
async fn everything_behind_what_was_refused_is_brought_again_in_its_order() {
    let stage = Stage::set().await;
    (1..=4).for_each(|number| stage.send.send(event(number)).unwrap());
    settle().await;
    stage.store.answer().await;
    settle().await;
    assert_eq!(stage.store.places(), [2, 3, 4]);
    stage.store.refuse();
    settle().await;
    assert_eq!(stage.store.places(), [0; 0], "not at once");
    stage.send.send(event(5)).unwrap();
    tokio::time::sleep(WAITS.0).await;
    assert_eq!(stage.store.places(), [2, 3, 4, 5]);
    stage.store.answer_all().await;
    settle().await;
    assert_eq!(stage.at(), Some(5));
    stage.stops().await;
}

#[tokio::test(start_paused = true)]
async fn the_waits_grow_and_begin_anew_when_something_was_processed() {
    let stage = Stage::set().await;
    for number in 1..=2 {
        stage.store.refuses.store(true, Ordering::SeqCst);
        stage.store.tried.lock().unwrap().clear();
        stage.send.send(event(number)).unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        let tried = stage.store.tried.lock().unwrap().clone();
        let tenths = |pair: &[Instant]| (pair[1] - pair[0]).as_millis() / 100;
        let waits: Vec<u128> = tried.windows(2).map(tenths).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 50, 50], "tenths of a second");
        stage.store.refuses.store(false, Ordering::SeqCst);
        tokio::time::sleep(WAITS.1).await;
        stage.store.answer_all().await;
        settle().await;
        assert_eq!(stage.at(), Some(number));
    }
    stage.stops().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_while_so_much_is_under_way() {
    let stage = Stage::set().await;
    for _ in 0..2 * UNDER_WAY {
        stage.send.send(event(7)).unwrap();
    }
    settle().await;
    assert_eq!(stage.store.lock().len(), UNDER_WAY);
    stage.store.answer().await;
    settle().await;
    assert_eq!(stage.store.lock().len(), UNDER_WAY, "one for one");
    assert_eq!(stage.store.tried.lock().unwrap().len(), UNDER_WAY + 1);
    stage.store.answer_all().await;
    settle().await;
    stage.store.answer_all().await;
    assert_eq!(stage.store.tried.lock().unwrap().len(), 2 * UNDER_WAY);
    stage.stops().await;
}
