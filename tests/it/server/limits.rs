//! Nothing that comes from outside is unbounded, and the server goes when it is told to.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use byoc_connector::server::{IN_FLIGHT, Parts, REQUEST_TIMEOUT, STREAMS, Server, serve};
use futures_util::StreamExt;
use futures_util::stream::pending;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tower::ServiceExt;

use super::live::{Live, live};
use super::rig::{Answer, ORG, Rig, loopback, org, service};

/// A body that never comes.
fn never() -> Body {
    Body::from_stream(pending::<Result<Vec<u8>, std::io::Error>>())
}

fn assert_comes_back(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for() {
    let rig = Rig::new(loopback()).await;
    let begun = Instant::now();
    for (method, path) in [
        (Method::POST, "/v1/contacts"),
        (Method::POST, "/v1/events"),
        (Method::PUT, "/v1/reps/005000000000001"),
    ] {
        assert_comes_back(&rig.ask(method, path).body(never()).send().await);
    }
    assert!(begun.elapsed() >= 3 * REQUEST_TIMEOUT && begun.elapsed() < 4 * REQUEST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn beyond_so_many_at_once_a_caller_is_told_to_come_back() {
    let rig = Arc::new(Rig::new(loopback()).await);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let rig = Arc::clone(&rig);
        waiting.spawn(async move { rig.ask(Method::POST, "/v1/contacts").body(never()).send().await.status });
    }
    // Time stands still until all of them wait.
    tokio::time::sleep(REQUEST_TIMEOUT / 2).await;
    assert_comes_back(&rig.get("/v1/session").await);
    assert_eq!(rig.get("/healthz").await.status, 200, "it has seats of its own");
    assert_eq!(rig.get("/metrics").await.status, 200);
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.unwrap(), 503);
    }
    assert_eq!(rig.get("/v1/session").await.status, 200);
}

#[tokio::test]
async fn a_path_has_an_end() {
    let rig = Rig::new(loopback()).await;
    let long = format!("/v1/session?channel={}", "x".repeat(8 * 1024));
    assert_eq!(rig.get(&long).await.status, 414);
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let service = service(vec![org(ORG, "http://127.0.0.1:9", true)]).await;
    let metrics = Arc::new(|| -> String { panic!("in a test") });
    let server = Server::new(Parts { settings: loopback(), service, reload: None, metrics }).unwrap();
    let request =
        axum::http::Request::get("/metrics").header("host", "localhost").body(Body::empty()).unwrap();
    let response = server.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(body["error"].is_string() && body["hint"].is_string() && body["field"].is_null(), "{body}");
}

fn stream_request() -> axum::http::Request<Body> {
    axum::http::Request::get("/v1/stream").header("host", "localhost").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn so_many_may_watch_and_no_more() {
    let rig = Rig::new(loopback()).await;
    let router = rig.server.router();
    let mut watching = Vec::new();
    for _ in 0..STREAMS {
        let response = router.clone().oneshot(stream_request()).await.unwrap();
        assert_eq!(response.status(), 200);
        watching.push(response);
    }
    assert_comes_back(&rig.get("/v1/stream").await);
    watching.pop();
    assert_eq!(rig.get("/v1/stream").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives_until_the_server_closes() {
    let rig = Rig::new(loopback()).await;
    let response = rig.server.router().oneshot(stream_request()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let mut next =
        async || body.next().await.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
    assert_eq!(next().await.unwrap(), "event: watching\ndata: {}\nretry: 3000\n\n");
    let begun = Instant::now();
    assert!(next().await.unwrap().starts_with(':'), "a comment");
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
    rig.server.close();
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_watcher_does_not_keep_the_server_from_stopping() {
    let Live { address, stop, task, .. } = live(loopback()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut stream = client.get(format!("http://{address}/v1/stream")).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"event: watching"));
    let alive = client.get(format!("http://{address}/healthz")).send().await.unwrap();
    assert_eq!(alive.json::<Value>().await.unwrap()["status"], "ok");
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), task).await.expect("it stops").unwrap().unwrap();
    assert_eq!(stream.chunk().await.unwrap(), None, "and ends the stream in order");
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}

#[tokio::test]
async fn a_head_that_is_not_finished_is_not_waited_for() {
    let live = live(loopback()).await;
    let mut socket = TcpStream::connect(live.address).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: local").await.unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.ok();
    assert!(begun.elapsed() < Duration::from_mins(1), "it has hung up");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn it_does_not_serve_where_the_settings_do_not_say_so() {
    let listener = TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
    let service = service(vec![org(ORG, "http://127.0.0.1:9", true)]).await;
    let server =
        Server::new(Parts { settings: loopback(), service, reload: None, metrics: Arc::new(String::new) })
            .unwrap();
    let error = serve(listener, server, std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:8080"), "{error}");
}
