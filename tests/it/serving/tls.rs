//! Over TLS, to servers whose certificate somebody has issued whom this machine trusts, and to no others.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use byoc_connector::emulator::LedgerEvent;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{Error as TlsError, ServerConfig};

use super::world::{Serve, World};
use crate::support::replaying::command::{byoc, stderr, stdout};

const QUEUE: &str = "00G000000000001";
const REQUESTER: &str = "005000000000001";

/// The variables that say where the org is.
const EVERYTHING: &[&str] =
    &["BYOC_ORG_INSTANCE_URL", "BYOC_ORG_INTERACTION_URL", "BYOC_ORG_PUBSUB_ENDPOINT", "BYOC_ORG_TOKEN_URL"];

/// Somebody who issues certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(world: &World, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = world.path(&format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    fn acceptor(&self, host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// TLS before an org: what comes in is decrypted and passed on.
struct Front {
    /// `https://localhost:…`
    url: String,
    handshakes: mpsc::UnboundedReceiver<Result<String, String>>,
}

impl Front {
    /// Shows a certificate that is this host's.
    async fn start(authority: &Authority, host: &str, org: SocketAddr) -> Self {
        let acceptor = authority.acceptor(host);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (told, handshakes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(acceptor.clone(), stream, org, told.clone()));
            }
        });
        Self { url, handshakes }
    }

    /// The protocols that were agreed on so far, or why there was no agreement.
    fn handshakes(&mut self) -> Vec<Result<String, String>> {
        std::iter::from_fn(|| self.handshakes.try_recv().ok()).collect()
    }
}

async fn pass_on(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    org: SocketAddr,
    told: mpsc::UnboundedSender<Result<String, String>>,
) {
    let mut stream = match acceptor.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            let cause = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
            told.send(Err(cause.map_or_else(|| error.to_string(), ToString::to_string))).ok();
            return;
        }
    };
    let protocol = stream.get_ref().1.alpn_protocol().unwrap_or(b"none").to_vec();
    told.send(Ok(String::from_utf8(protocol).unwrap())).ok();
    let mut org = TcpStream::connect(org).await.unwrap();
    // Either side may hang up.
    tokio::io::copy_bidirectional(&mut stream, &mut org).await.ok();
}

async fn world() -> World {
    let roster: Roster = serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": REQUESTER, "capacity": 100_000 },
            { "id": "005000000000002", "capacity": 100_000, "queues": [QUEUE],
              "script": { "does": "accept", "afterMilliseconds": 20 } },
        ]
    }))
    .unwrap();
    World::start(roster, "").await
}

/// Variables by which these are found behind that front, and by which that authority alone is trusted.
fn variables(trusted: &Authority, front: &Front, behind: &[&'static str]) -> Vec<(&'static str, String)> {
    let file = trusted.file.to_str().unwrap();
    // What this machine trusts besides would count as well.
    let mut variables =
        vec![("SSL_CERT_FILE", file), ("SSL_CERT_DIR", ""), ("NO_PROXY", "localhost,127.0.0.1")];
    let token_url = format!("{}/services/oauth2/token", front.url);
    for variable in behind {
        let is_token_url = *variable == "BYOC_ORG_TOKEN_URL";
        variables.push((variable, if is_token_url { &token_url } else { &front.url }));
    }
    variables.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// `byoc serve` with those variables.
fn serve(world: &World, trusted: &Authority, front: &Front, behind: &[&'static str]) -> Serve {
    let variables = variables(trusted, front, behind);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.serve_with(&variables)
}

fn ask(world: &World) -> EventId {
    let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
    world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()))
}

/// How many calls the org was sent.
fn calls(world: &World) -> usize {
    let is_call = |booked: &LedgerEvent| matches!(booked, LedgerEvent::Call { .. });
    world.emulator.with(|salesforce, _| salesforce.books().count(is_call))
}

/// It runs on, has not panicked, and stops as it should.
fn is_well(world: &World, mut serve: Serve) {
    assert!(serve.is_running());
    assert_eq!(serve.stop().0, Some(0));
    let log = std::fs::read_to_string(world.path("serve.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conference_joins_with_every_byte_over_tls() {
    let world = world().await;
    let authority = Authority::new(&world, "trusted");
    let mut front = Front::start(&authority, "localhost", world.address()).await;
    let serve = serve(&world, &authority, &front, EVERYTHING);
    serve.until_ready().await;
    let request = ask(&world);
    serve.until_ended(&request, "joined").await;
    let handshakes = front.handshakes();
    assert!(handshakes.len() >= 3, "token, calls and stream have a connection each: {handshakes:?}");
    assert!(handshakes.iter().all(|handshake| handshake.as_deref() == Ok("h2")), "{handshakes:?}");
    is_well(&world, serve);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_certificate_that_nobody_trusted_has_issued_nothing_is_sent_and_it_says_so() {
    let world = world().await;
    let (trusted, other) = (Authority::new(&world, "trusted"), Authority::new(&world, "other"));
    let mut front = Front::start(&other, "localhost", world.address()).await;
    let serve = serve(&world, &trusted, &front, EVERYTHING);
    ask(&world);
    for part in ["token", "stream"] {
        let problem = serve.until_said(part, "has an unknown issuer").await;
        assert!(problem.contains("SSL_CERT_FILE"), "{part}: {problem}");
    }
    assert_eq!(calls(&world), 0);
    let handshakes = front.handshakes();
    assert!(!handshakes.is_empty() && handshakes.iter().all(Result::is_err), "{handshakes:?}");
    is_well(&world, serve);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_from_another_hosts_certificate_is_refused_though_there_is_a_token() {
    let world = world().await;
    let authority = Authority::new(&world, "trusted");
    let mut front = Front::start(&authority, "pubsub.example", world.address()).await;
    let serve = serve(&world, &authority, &front, &["BYOC_ORG_PUBSUB_ENDPOINT"]);
    let problem = serve.until_said("stream", "certificate").await;
    assert!(problem.contains("only valid for") && problem.contains("pubsub.example"), "{problem}");
    assert!(problem.contains("the server's certificate is for another host"), "{problem}");
    let ready: serde_json::Value = serde_json::from_str(&serve.get("/readyz").await).unwrap();
    let token = ready["checks"].as_array().unwrap().iter().find(|check| check["what"] == "token").unwrap();
    assert_eq!(token["ok"], true, "{ready}");
    let handshakes = front.handshakes();
    assert!(!handshakes.is_empty() && handshakes.iter().all(Result::is_err), "{handshakes:?}");
    is_well(&world, serve);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_another_hosts_certificate_are_not_sent_though_events_come_in() {
    let world = world().await;
    let authority = Authority::new(&world, "trusted");
    let mut front = Front::start(&authority, "calls.example", world.address()).await;
    let serve = serve(&world, &authority, &front, &["BYOC_ORG_INTERACTION_URL"]);
    serve.until_ready().await;
    ask(&world);
    serve.until_counted("byoc_calls_total", |tries| tries >= 1.0).await;
    assert_eq!(calls(&world), 0);
    let handshakes = front.handshakes();
    assert!(!handshakes.is_empty() && handshakes.iter().all(Result::is_err), "{handshakes:?}");
    is_well(&world, serve);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_a_certificate_that_is_not_trusted_from_an_org_that_refuses() {
    let world = world().await;
    let (trusted, other) = (Authority::new(&world, "trusted"), Authority::new(&world, "other"));
    let front = Front::start(&other, "localhost", world.address()).await;
    let doctor = |behind| {
        let variables = variables(&trusted, &front, behind);
        let output = byoc().current_dir(world.path("")).arg("doctor").envs(variables).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), ""));
        stdout(&output)
    };
    let said = doctor(EVERYTHING);
    for step in ["clock", "token"] {
        let line = said.lines().find(|line| line.contains(&format!("org, {step}: "))).unwrap();
        assert!(line.starts_with("problem ") && line.contains("SSL_CERT_FILE"), "{said}");
    }
    let said = doctor(&["BYOC_ORG_INTERACTION_URL", "BYOC_ORG_PUBSUB_ENDPOINT"]);
    for step in ["calls", "events"] {
        let line = said.lines().find(|line| line.contains(&format!(", {step}: "))).unwrap();
        assert!(line.starts_with("problem ") && line.contains("SSL_CERT_FILE"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_is_trusted_it_does_not_start_unless_all_is_on_this_machine() {
    let world = world().await;
    let authority = Authority::new(&world, "trusted");
    let front = Front::start(&authority, "localhost", world.address()).await;
    std::fs::write(&authority.file, "").unwrap();
    for variable in EVERYTHING {
        let variables = variables(&authority, &front, &[variable]);
        let output =
            byoc().current_dir(world.path("")).arg("serve").arg("--check").envs(variables).output().unwrap();
        // The org's own address is told to Salesforce, and nothing is fetched from there.
        if *variable == "BYOC_ORG_INSTANCE_URL" {
            assert_eq!(output.status.code(), Some(0));
            continue;
        }
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{variable}: {told}");
        assert!(
            told.contains("this machine has no root certificates") && told.contains("SSL_CERT_FILE"),
            "{told}"
        );
    }
}
