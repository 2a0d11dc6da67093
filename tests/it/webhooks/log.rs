//! A webhook that is down is one warning, and one line when it is back: however many requests fail meanwhile.

use tracing::Level;

use super::*;
use crate::support::log::Lines;

#[tokio::test]
async fn a_router_that_is_down_is_one_warning_and_one_line_when_it_is_back() {
    let not_there = ResponseTemplate::new(404);
    let other = ResponseTemplate::new(403);
    let nobody = found(&json!([]));
    let answers = [not_there.clone(), other, not_there.clone(), not_there, nobody.clone(), nobody];
    let partner = Partner::answering("/find", answers).await;
    let lines = Lines::default();
    let listening = lines.keep(Level::INFO);
    let finder = partner.webhooks().rep_finder(&context()).unwrap();
    for _ in 0..4 {
        finder.find(&wanted(1)).await.unwrap_err();
    }
    for _ in 0..2 {
        finder.find(&wanted(1)).await.unwrap();
    }
    drop(listening);
    let logged = lines.whole();
    let told: Vec<&str> = logged
        .lines()
        .filter(|line| line.contains("webhook failing") || line.contains("webhook works"))
        .collect();
    let [down, back] = told.as_slice() else { panic!("{logged}") };
    assert!(down.contains("WARN") && down.contains("HTTP 404"), "{down}");
    assert!(back.contains("INFO") && back.contains("failed_requests=4 failed_tries=4"), "{back}");
}
