//! Who is let in, where a credential is set and where none is.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use byoc_connector::server::{Error, Parts, Server, Settings};
use serde_json::{Value, json};
use std::sync::Arc;

use super::rig::{
    ANNA, EVENTS_SECRET, OPERATOR_SECRET, ORG, Rig, SESSION_SECRET, guarded, loopback, org, service,
};
use super::sessions::token;

const PAGE: [&str; 1] = ["/v1/session"];
const BACKEND: [&str; 1] = ["/v1/reps"];
const OPERATOR: [&str; 6] =
    ["/", "/operator.js", "/operator.css", "/v1/routing-requests", "/v1/stream", "/metrics"];
const EVERYBODY: [&str; 5] =
    ["/healthz", "/readyz", "/connector", "/connector/connector.js", "/connector/connector.css"];

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn each_group_takes_its_own_credential_and_no_other() {
    let rig = Rig::new(guarded()).await;
    let session = token(&json!({}));
    let groups = [(&PAGE[..], &*session), (&BACKEND[..], EVENTS_SECRET), (&OPERATOR[..], OPERATOR_SECRET)];
    for (paths, own) in groups {
        for path in paths {
            let nothing = rig.get(path).await;
            assert_eq!(nothing.status, 401, "{path}");
            assert!(!nothing.header("www-authenticate").is_empty(), "{path}");
            for (_, credential) in groups {
                let answer = rig.ask(Method::GET, path).bearer(credential).send().await;
                let expected = if credential == own { 200 } else { 401 };
                assert_eq!(answer.status, expected, "{path}: {}", answer.body);
            }
            let almost = rig.ask(Method::GET, path).bearer(&own[..own.len() - 1]).send().await;
            assert_eq!(almost.status, 401, "{path}");
            let other_scheme = rig.ask(Method::GET, path).header("authorization", own).send().await;
            assert_eq!(other_scheme.status, 401, "{path}");
        }
    }
    for path in EVERYBODY {
        assert_ne!(rig.get(path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_browser_can_ask_an_operator_for_the_secret() {
    let rig = Rig::new(guarded()).await;
    assert!(rig.get("/").await.header("www-authenticate").starts_with("Basic realm="));
    for (credential, status) in [
        (basic("anybody", OPERATOR_SECRET), 200),
        (basic("", OPERATOR_SECRET), 200),
        (basic("anybody", "wrong"), 401),
        (basic("anybody", ""), 401),
        (format!("Basic {OPERATOR_SECRET}"), 401),
        ("Basic !!!".to_owned(), 401),
    ] {
        let answer = rig.ask(Method::GET, "/").header("authorization", &credential).send().await;
        assert_eq!(answer.status, status, "{credential}");
    }
    let backend = rig.ask(Method::GET, "/v1/reps").header("authorization", &basic("x", EVENTS_SECRET));
    assert_eq!(backend.send().await.status, 401, "a browser must not be made to remember the backend's");
}

#[tokio::test]
async fn without_credentials_this_machine_is_let_in() {
    let rig = Rig::new(loopback()).await;
    for path in PAGE.iter().chain(&BACKEND).chain(&OPERATOR) {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost", "demo.localhost:8080"] {
            assert_eq!(
                rig.ask(Method::GET, path).header("host", host).send().await.status,
                200,
                "{path} at {host}"
            );
        }
    }
}

#[tokio::test]
async fn without_credentials_nobody_else_is_let_in() {
    let rig = Rig::new(loopback()).await;
    let hostile = [
        ("host", "rebound.example.com:8080", "Host"),
        ("host", "localhost.example.com", "Host"),
        ("host", "127.0.0.1.nip.io:8080", "Host"),
        ("host", "", "Host"),
        ("origin", "https://example.com", "Origin"),
        ("origin", "null", "Origin"),
        ("origin", "http://localhost:3000", "Origin"),
        ("origin", "http://localhost.example.com:8080", "Origin"),
        ("x-forwarded-for", "203.0.113.7", "x-forwarded-for"),
        ("forwarded", "for=203.0.113.7", "forwarded"),
        ("via", "1.1 proxy", "via"),
        ("x-real-ip", "203.0.113.7", "x-real-ip"),
    ];
    for path in PAGE.iter().chain(&BACKEND).chain(&OPERATOR) {
        for (header, value, field) in hostile {
            let answer = rig.ask(Method::GET, path).header(header, value).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.field()),
                (403, &json!(field)),
                "{path} with {header}: {value}"
            );
        }
    }
    for (path, body) in
        [("/v1/presence", json!({ "availability": "OFFLINE", "userId": ANNA })), ("/v1/events", json!({}))]
    {
        let foreign =
            rig.ask(Method::POST, path).json(&body).header("origin", "https://example.com").send().await;
        assert_eq!(foreign.status, 403, "{path}");
        let form = rig.ask(Method::POST, path).json(&body).header("content-type", "text/plain").send().await;
        assert_eq!(form.status, 415, "{path}: a page of any origin can send this without asking");
    }
    let absolute = rig.ask(Method::GET, "http://rebound.example.com/v1/reps").send().await;
    assert_eq!(absolute.status, 403);
}

#[tokio::test]
async fn the_servers_own_page_and_the_allowed_origins_are_let_in() {
    let allowed = "https://acme.lightning.force.com";
    let settings = Settings { allowed_origins: vec![allowed.parse().unwrap()], ..loopback() };
    let rig = Rig::new(settings).await;
    for (host, origin) in [
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("localhost:8080", allowed),
    ] {
        let ask = rig.ask(Method::GET, "/v1/session").header("host", host).header("origin", origin);
        assert_eq!(ask.send().await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn a_group_without_credential_is_closed_where_others_can_reach_it() {
    let without = |change: fn(&mut Settings)| {
        let mut settings = guarded();
        change(&mut settings);
        settings
    };
    for (settings, paths, key) in [
        (without(|settings| settings.session = None), &PAGE[..], "session_secret_file"),
        (without(|settings| settings.events_secret = None), &BACKEND[..], "events_secret_file"),
        (without(|settings| settings.operator_secret = None), &OPERATOR[..], "operator_secret_file"),
    ] {
        let rig = Rig::new(settings).await;
        for path in paths {
            for credential in [SESSION_SECRET, EVENTS_SECRET, OPERATOR_SECRET, ""] {
                let answer = rig.ask(Method::GET, path).bearer(credential).send().await;
                assert_eq!(answer.status, 403, "{path}");
                assert!(answer.body["hint"].as_str().unwrap().contains(key), "{path}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn it_is_not_opened_to_the_world() {
    let settings = Settings { listen: "0.0.0.0:8080".parse().unwrap(), ..loopback() };
    let service = service(vec![org(ORG, "http://127.0.0.1:9", true)]).await;
    let metrics = Arc::new(String::new);
    let refused = Server::new(Parts { settings, service, reload: None, metrics }).unwrap_err();
    assert!(matches!(refused, Error::Exposed(_)), "{refused}");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_the_pages_api_and_nothing_else() {
    let rig = Rig::new(guarded()).await;
    let allowed = "https://acme.lightning.force.com";
    let preflight = |path: &'static str, origin: &'static str| {
        rig.ask(Method::OPTIONS, path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let answer = preflight("/v1/contacts", allowed).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), allowed);
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type");
    assert!(answer.header("vary").to_lowercase().contains("origin"), "{}", answer.header("vary"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    for origin in ["https://example.com", "https://acme.lightning.force.com.example.com", "null"] {
        assert_eq!(
            preflight("/v1/contacts", origin).await.header("access-control-allow-origin"),
            "",
            "{origin}"
        );
    }
    for path in ["/v1/events", "/v1/reps", "/v1/routing-requests", "/metrics"] {
        assert_eq!(preflight(path, allowed).await.header("access-control-allow-origin"), "", "{path}");
    }
    // A page must be able to read why it was refused.
    let refused = rig.ask(Method::GET, "/v1/session").header("origin", allowed).send().await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), allowed);
    assert!(refused.header("vary").to_lowercase().contains("origin"));
}

#[tokio::test]
async fn what_a_page_may_load_and_who_may_frame_it_is_said() {
    let rig = Rig::new(guarded()).await;
    let connector = rig.get("/connector").await;
    let policy = connector.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors 'self' https://acme.lightning.force.com"), "{policy}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let operator = rig.ask(Method::GET, "/").bearer(OPERATOR_SECRET).send().await;
    assert!(operator.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    for answer in [&connector, &operator, &rig.get("/v1/session").await, &rig.get("/nothing").await] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(!answer.header("content-security-policy").is_empty());
    }
    for page in [&connector.text, &operator.text] {
        assert!(!page.contains("<style") && !page.contains("onclick") && !page.contains("style="), "{page}");
        assert!(
            page.split("<script").skip(1).all(|script| script.trim_start().starts_with("src=")),
            "{page}"
        );
    }
}

#[tokio::test]
async fn whose_stream_stands_still_an_operator_alone_is_told() {
    let rig = Rig::new(guarded()).await;
    let public = rig.get("/readyz").await;
    assert_eq!(public.status, 503, "there is no stream in this test");
    assert!(!public.text.contains(ORG), "{}", public.text);
    let whats: Vec<&Value> =
        public.body["checks"].as_array().unwrap().iter().map(|check| &check["what"]).collect();
    assert_eq!(whats, ["store", "token", "stream"]);
    let operator = rig.ask(Method::GET, "/readyz").bearer(OPERATOR_SECRET).send().await;
    assert!(operator.text.contains(ORG), "{}", operator.text);
    let stream =
        operator.body["checks"].as_array().unwrap().iter().find(|check| check["what"] == "stream").unwrap();
    assert_eq!(stream["ok"], false);
    assert!(stream["problem"].is_string(), "{stream}");
    let here = Rig::new(loopback()).await;
    assert!(here.get("/readyz").await.text.contains(ORG), "on loopback whoever asks is an operator");
    let proxied = here.ask(Method::GET, "/readyz").header("x-forwarded-for", "203.0.113.7").send().await;
    assert!(!proxied.text.contains(ORG), "{}", proxied.text);
}
