//! What is fetched from the past is replayed as what it was then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use byoc_connector::model::time::{Clock, SystemClock, Timestamp};
use serde_json::Value;

use super::{Org, file_in, lines};
use crate::support::replaying::command::{byoc, stderr, stdout};

/// An hour behind, until it is told that the hour is over.
#[derive(Default)]
struct AnHourAgo(AtomicBool);

impl Clock for AnHourAgo {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        if self.0.load(Ordering::SeqCst) { now } else { now - Duration::from_secs(3600) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_an_hour_ago_is_replayed_as_the_fresh_one_that_it_was() {
    let clock = Arc::new(AnHourAgo::default());
    let org = Org::start_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let request = org.conference();
    let published = org.published();
    clock.0.store(true, Ordering::SeqCst);
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file_in(&folder);
    let count = published.len().to_string();
    let output = org.recorded(&["--from", "earliest", "--events", &count, "-o", &name]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let recorded = lines(&std::fs::read_to_string(&path).unwrap());
    let at = |line: &Value| Timestamp::parse_rfc3339(line["at"].as_str().unwrap()).unwrap().as_millis();
    for (line, (_, event)) in recorded[2..].iter().zip(&published) {
        assert_eq!(at(line), event["CreatedDate"].as_i64().unwrap(), "{line}");
    }
    assert!(recorded.is_sorted_by_key(at), "{recorded:?}");

    let replayed = tokio::task::spawn_blocking(move || byoc().args(["replay", &name, "--json"]).output());
    let replayed = replayed.await.unwrap().unwrap();
    assert_eq!((replayed.status.code(), stderr(&replayed).as_str()), (Some(0), ""));
    let said = lines(&stdout(&replayed));
    let of_it = said.iter().filter(|line| line["routingRequest"] == request.as_str());
    let calls = of_it.filter(|line| line["operation"].is_string()).count();
    assert!(calls > 0 && !stdout(&replayed).contains("60 seconds old"), "{}", stdout(&replayed));
}
