//! The channel is told when its stream stands: until then what was being offered before the start is left alone.

use super::*;
use crate::model::call::Call;

/// Notes what is called, and never answers.
#[derive(Default)]
struct Hanging(Mutex<Vec<(Call, bool)>>);

#[async_trait]
impl Calls for Hanging {
    async fn try_once(&self, attempt: &Try) -> Tried {
        self.0.lock().unwrap().push(((*attempt.call).clone(), attempt.resumed));
        pending().await
    }
}

impl Hanging {
    fn offers(&self) -> usize {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|(call, _)| matches!(call, Call::CreateAgentWork(_))).count()
    }
}

/// The time of the recording, and what has gone by since.
#[derive(Clone, Copy)]
struct Recorded(Instant);

impl Clock for Recorded {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_780_304_430_000) + self.0.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_of_before_is_given_again_when_the_stream_stands_and_says_nothing() {
    let clock = Arc::new(Recorded(Instant::now()));
    let (store, calls) = (Arc::new(Held::default()), Arc::new(Hanging::default()));
    let stage = Stage::with(store.clone(), calls.clone(), clock.clone()).await;
    for (number, json) in (1..).zip(recorded()) {
        stage.send.send(as_event(number, &json)).unwrap();
        settle().await;
        store.answer_all().await;
        settle().await;
    }
    assert_eq!(calls.offers(), 1);
    stage.stops().await;

    let calls = Arc::new(Hanging::default());
    let stage = Stage::with(store, calls.clone(), clock.clone()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.health.connected(clock.now());
    tokio::time::sleep(Duration::from_millis(1_900)).await;
    assert_eq!(calls.offers(), 0, "the stream may still tell what became of it");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(calls.offers(), 1);
    stage.stops().await;
}
