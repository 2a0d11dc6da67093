//! A webhook that is down is one warning, and one line when it is back: however many requests fail meanwhile.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_router_that_is_down_is_one_warning_and_one_line_when_it_is_back() {
    let not_there = ResponseTemplate::new(404);
    let other = ResponseTemplate::new(403);
    let nobody = found(&json!([]));
    let answers = [not_there.clone(), other, not_there.clone(), not_there, nobody.clone(), nobody];
    let partner = Partner::answering("/find", answers).await;
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(Level::INFO);
    let listening = tracing::subscriber::set_default(subscriber.with_writer(lines.clone()).finish());
    let finder = partner.webhooks().rep_finder(&context()).unwrap();
    for _ in 0..4 {
        finder.find(&wanted(1)).await.unwrap_err();
    }
    for _ in 0..2 {
        finder.find(&wanted(1)).await.unwrap();
    }
    drop(listening);
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let told: Vec<&str> = logged.lines().filter(|line| line.contains("webhook::health")).collect();
    let [down, back] = told.as_slice() else { panic!("{logged}") };
    assert!(down.contains("WARN") && down.contains("HTTP 404"), "{down}");
    assert!(back.contains("INFO") && back.contains("failed_requests=4 failed_tries=4"), "{back}");
}
