//! Numbers have a bounded number of labels, whatever is answered.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::interaction::{fixed_client, offer, send};

/// How many lines of the numbers begin so.
fn lines(numbers: &str, start: &str) -> usize {
    numbers.lines().filter(|line| line.starts_with(start)).count()
}

#[test]
fn what_salesforce_answers_makes_no_new_label() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = MockServer::start().await;
            let turn = Arc::new(std::sync::atomic::AtomicU16::new(0));
            let answer = move |_: &Request| {
                let turn = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let body = json!({ "code": 900_000 + u32::from(turn), "message": "m" });
                ResponseTemplate::new(405 + turn % 50).set_body_json(body)
            };
            Mock::given(any()).respond_with(answer).mount(&server).await;
            let client = fixed_client(&server.uri());
            for _ in 0..200 {
                send(&client, &offer()).await;
            }
        });
    });
    let numbers = handle.render();
    let series = lines(&numbers, "byoc_calls_total{");
    assert!((1..=10).contains(&series), "{series} series:\n{numbers}");
    assert!(numbers.contains("code=\"other\""), "{numbers}");
}
