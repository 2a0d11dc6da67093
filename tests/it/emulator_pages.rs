//! The emulator's control API and console, and the pages of other sites that somebody has open.

use std::sync::Arc;

use byoc_connector::emulator::Settings;
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::SystemClock;
use serde_json::Value;
use tokio::net::TcpListener;

/// Where an emulator is.
async fn emulator() -> String {
    let options = Options {
        seed: 7,
        roster: Roster::default(),
        settings: Settings::default(),
        app: AppSettings::default(),
        fixed_tokens: Vec::new(),
    };
    let emulator = Emulator::new(options, Arc::new(SystemClock)).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(http::serve(listener, emulator, std::future::pending()));
    address
}

#[tokio::test]
async fn a_page_of_another_site_drives_nothing() {
    let address = emulator().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let hostile = [
        ("origin", "https://example.com"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("host", "rebound.example.com"),
    ];
    for path in ["/emulator/v1/reset", "/emulator/v1/acts", "/emulator/v1/faults", "/emulator/v1/logins"] {
        for (header, value) in hostile {
            // A form needs no permission: this is what a browser sends without asking.
            let post = client.post(format!("{address}{path}")).header("content-type", "text/plain");
            let answer = post.header(header, value).body("{}").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} with {header}: {value}");
            let body: Value = answer.json().await.unwrap();
            assert!(body["hint"].is_string() && body["field"].is_string(), "{body}");
        }
    }
    for path in ["/emulator/v1/state", "/emulator/v1/sample-credentials", "/console/names", "/console"] {
        let rebound = client.get(format!("{address}{path}")).header("host", "rebound.example.com");
        assert_eq!(rebound.send().await.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn its_own_pages_and_tests_do() {
    let address = emulator().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let reset = || client.post(format!("{address}/emulator/v1/reset"));
    assert_eq!(reset().send().await.unwrap().status(), 200, "a test names no origin");
    assert_eq!(reset().header("origin", &address).send().await.unwrap().status(), 200, "its own console");
    assert_eq!(client.get(format!("{address}/console")).send().await.unwrap().status(), 200);
}
