//! The emulator over TLS: whoever trusts its authority gets everything on one port, and nobody else anything.

use std::path::Path;

use byoc_connector::emulator::http::{AppSettings, Tls};
use byoc_connector::emulator::{Act, Emission, Settings};
use serde_json::{Value, json};

use crate::support::served::{HANGS, Served};

fn authority() -> Tls {
    Tls::new(&["localhost".to_owned()]).unwrap()
}

#[tokio::test]
async fn whoever_trusts_the_authority_is_served_and_nobody_else() {
    let tls = authority();
    let org = Served::start_tls(&tls).await;
    let url = format!("{}/emulator/v1", org.address);
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(&url).send().await.is_err(), "its certificate is not trusted");
    let plain = url.replace("https://", "http://");
    assert!(stranger.get(plain).send().await.is_err(), "nothing is answered without TLS");
    let authority = reqwest::Certificate::from_pem(tls.authority().as_bytes()).unwrap();
    let friend = reqwest::Client::builder().no_proxy().tls_certs_merge([authority]).build().unwrap();
    let identity: Value = friend.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(identity["name"], "byoc emulator");
    org.stops().await;
}

#[test]
fn what_is_no_name_gets_no_certificate() {
    let error = Tls::new(&["localhost".to_owned(), "h\u{f8}st".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("localhost, h\u{f8}st"), "{error}");
}

/// Salesforce's rules as somebody else has read them: the public Node client logs in, finds its schema,
/// subscribes and goes on from a replay id, unchanged.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
async fn the_public_node_client_connects_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    if !folder.join("node_modules/salesforce-pubsub-api-client").exists() {
        assert!(std::env::var_os("BYOC_TEST_NODE").is_none(), "the client is not in tests/node");
        println!("skipped: `npm ci --ignore-scripts` has not been run in tests/node");
        return;
    }
    let tls = authority();
    let org = Served::start_tls(&tls).await;
    for _ in 0..2 {
        let act = Act::StartConversation { end_user: None, reps: Vec::new() };
        org.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap();
    }
    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trusted.path(), tls.authority()).unwrap();
    let app = AppSettings::default();
    let topic = Settings::default().events.topic;
    let node = tokio::process::Command::new("node")
        .args(["subscribe.mjs", &org.address, &app.consumer_key, &app.username, &topic, "4"])
        .env("NODE_EXTRA_CA_CERTS", trusted.path())
        .current_dir(folder)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(HANGS, node).await.expect("the client ends").expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let all = read["all"].as_array().unwrap();
    assert_eq!(read["rest"].as_array().unwrap(), &all[1..]);
    assert_eq!(all.len(), 4);
    let told = org.emulator.told(0);
    let published = told.iter().filter_map(|told| match &told.what {
        Emission::Platform { replay_id, event } => Some((replay_id, event)),
        Emission::AgentWork { .. } => None,
    });
    for (read, (id, event)) in all.iter().zip(published) {
        let number = u64::from_be_bytes(id[..8].try_into().unwrap());
        assert_eq!((&read["replayId"], &read["payload"]), (&json!(number), event));
    }
    org.stops().await;
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn the_command_writes_down_whom_to_trust_before_it_says_where_it_is() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_byoc"))
        .args(["emulator", "--port", "0", "--json", "--tls-ca", "ca.pem", "--tls-name", "org.example"])
        .current_dir(folder.path())
        .env_remove("BYOC_CONFIG")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    tokio::time::timeout(HANGS, said.read_line(&mut line)).await.expect("it says where it is").unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["tlsCa"], "ca.pem");
    let address = said["address"].as_str().unwrap().to_owned();
    assert!(address.starts_with("https://127.0.0.1:"), "{said}");
    let authority = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let authority = reqwest::Certificate::from_pem(&authority).unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .resolve("org.example", ([127, 0, 0, 1], port).into())
        .build()
        .unwrap();
    // Only a machine's own names lead to the control API while it listens on loopback; the rest is the org.
    for (url, status) in [
        (format!("{address}/emulator/v1"), 200),
        (format!("https://org.example:{port}/emulator/v1"), 403),
        (format!("https://org.example:{port}/services/oauth2/userinfo"), 403),
    ] {
        assert_eq!(http.get(&url).send().await.unwrap().status().as_u16(), status, "{url}");
    }
    child.kill().await.unwrap();
}
