//! Connections: those that never read, those that are too many, and answers that come before all is sent.

use std::time::Duration;

use byoc_connector::server::{BODY_LIMIT, READ_WITHIN, Settings, VITAL_SEATS, serve_vital};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::live::{exchange, last_get, live};
use super::rig::{guarded, loopback};

/// Room for two, beside those for health.
fn two() -> Settings {
    Settings { connections: Some(2), ..loopback() }
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_hung_up_on() {
    let live = live(two()).await;
    let mut socket = TcpStream::connect(live.address).await.unwrap();
    let request = b"GET /connector/connector.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    tokio::time::pause();
    let begun = Instant::now();
    // Request after request, and not a byte of the answers is read.
    while socket.write_all(request).await.is_ok() {}
    assert!((READ_WITHIN..READ_WITHIN * 3).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_reads_a_little_now_and_then_is_hung_up_on() {
    let live = live(two()).await;
    let (mut reads, mut writes) = TcpStream::connect(live.address).await.unwrap().into_split();
    let asking = tokio::spawn(async move {
        let request = b"GET /connector/connector.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
        while writes.write_all(request).await.is_ok() {}
    });
    tokio::time::pause();
    let begun = Instant::now();
    let mut buffer = [0; 512];
    while !asking.is_finished() {
        tokio::time::sleep(READ_WITHIN / 10).await;
        // However little comes.
        if reads.read(&mut buffer).await.is_err() {
            break;
        }
        assert!(begun.elapsed() < READ_WITHIN * 20, "it goes on for ever");
    }
}

#[tokio::test]
async fn where_all_seats_are_taken_health_is_answered_and_nothing_else() {
    let live = live(two()).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        idle.push(TcpStream::connect(live.address).await.unwrap());
    }
    for path in ["/healthz", "/metrics"] {
        let answer = exchange(live.address, &last_get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let ready = exchange(live.address, &last_get("/readyz")).await;
    assert!(ready.contains("\"checks\""), "{ready}");
    for path in ["/v1/session", "/connector", "/v1/stream"] {
        let answer = exchange(live.address, &last_get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after"), "{path}: {answer}");
    }
    drop(idle);
    // Both seats are given back when the server has seen that nobody is there.
    while !exchange(live.address, &last_get("/v1/session")).await.starts_with("HTTP/1.1 200") {}
}

#[tokio::test]
async fn whoever_takes_the_seats_of_health_does_not_keep_them() {
    let live = live(two()).await;
    let mut idle = Vec::new();
    for _ in 0..2 + VITAL_SEATS {
        idle.push(TcpStream::connect(live.address).await.unwrap());
    }
    tokio::time::pause();
    let begun = Instant::now();
    let answer = exchange(live.address, &last_get("/healthz")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn health_may_have_an_address_of_its_own() {
    let live = live(two()).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(serve_vital(listener, live.server.clone()));
    assert!(exchange(address, &last_get("/healthz")).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(address, &last_get("/metrics")).await.contains("byoc_up 1"));
    assert!(exchange(address, &last_get("/v1/session")).await.starts_with("HTTP/1.1 503"));
    task.abort();
}

/// A request with a body of so many bytes.
fn post(path: &str, bytes: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n"
    );
    [head.into_bytes(), vec![b'x'; bytes]].concat()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_and_not_reset() {
    let live = live(loopback()).await;
    for path in ["/v1/events", "/v1/contacts"] {
        let answer = exchange(live.address, &post(path, 8 * BODY_LIMIT)).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"hint\""), "{path}: {answer}");
    }
}

#[tokio::test]
async fn so_is_whatever_else_is_refused_before_it_is_read() {
    let live = live(Settings { listen: "127.0.0.1:0".parse().unwrap(), ..guarded() }).await;
    for (path, status) in [("/v1/events", 401), ("/none/such", 404), ("/healthz", 405)] {
        let answer = exchange(live.address, &post(path, 4 * BODY_LIMIT)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_never_asked_for_need_not_be_sent() {
    let live = live(loopback()).await;
    let request = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 104857600\r\nExpect: 100-continue\r\n\r\n";
    let answer = exchange(live.address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_request_that_two_readers_would_read_differently_is_refused() {
    let live = live(loopback()).await;
    for (twice, field) in [
        ("Host: example.com", "host"),
        ("Origin: http://localhost\r\nOrigin: https://example.com", "origin"),
        ("Authorization: Bearer a\r\nAuthorization: Bearer b", "authorization"),
        ("Content-Type: application/json\r\nContent-Type: text/plain", "content-type"),
    ] {
        let request =
            format!("GET /v1/session HTTP/1.1\r\nHost: localhost\r\n{twice}\r\nConnection: close\r\n\r\n");
        let answer = exchange(live.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{twice}: {answer}");
        assert!(answer.contains(&format!("\"field\":\"{field}\"")), "{twice}: {answer}");
    }
    for bad in [
        "GET /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /v1/session HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let answer = exchange(live.address, bad.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{bad}: {answer}");
    }
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-Y: z\r\n".repeat(200));
    assert!(exchange(live.address, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_request_says_for_which_host_it_is() {
    let live = live(guarded()).await;
    let without = b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = exchange(live.address, without).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("Host"), "{answer}");
    let old = b"GET /healthz HTTP/1.0\r\n\r\n";
    assert!(exchange(live.address, old).await.starts_with("HTTP/1.0 200"), "HTTP/1.0 has no such header");
}
