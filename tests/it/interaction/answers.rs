//! What an answer says of what was done: refused, lost, broken off, done already by a lost try.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_refusal_is_final_and_keeps_what_salesforce_said() {
    for (status, body, answer) in [
        (400, r#"{"code":10030,"message":"m"}"#, refused(400, 10030, "m", false)),
        (403, "<html>no</html>", refused(403, None, "<html>no</html>", false)),
        (
            202,
            r#"{"success":false,"errorDetail":{"code":15110,"message":"m"}}"#,
            refused(202, 15110, "m", false),
        ),
        (307, "", refused(307, None, "", false)),
    ] {
        let server = MockServer::start().await;
        let elsewhere = format!("{}/elsewhere", server.uri());
        let response =
            ResponseTemplate::new(status).set_body_string(body).insert_header("Location", elsewhere);
        answers(&server, [], response).await;
        let (client, _) = client(&server.uri(), fixed_token());
        assert_eq!(send(&client, &offer()).await, answer);
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{status}");
    }
}

/// A server that answers each connection with the next of these: `None` reads the request and hangs up.
async fn raw_server(answers: Vec<Option<String>>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                let read = stream.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "the client hung up");
                request.extend_from_slice(&buffer[..read]);
            }
            requests.push(String::from_utf8(request).unwrap());
            if let Some(answer) = answer {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        requests
    });
    (url, task)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.expect("our requests have a length").parse::<usize>().unwrap()
}

fn raw(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test]
async fn a_15109_after_a_lost_answer_is_marked() {
    let exists = r#"{"code":15109,"message":"m"}"#;
    let (url, server) = raw_server(vec![None, Some(raw("400 Bad Request", exists))]).await;
    let (client, hands) = client(&url, fixed_token());
    assert_eq!(send(&client, &offer()).await, refused(400, 15109, "m", true));
    let requests = server.await.unwrap();
    let id = format!("requestid: {}", request_id());
    assert!(requests.iter().all(|request| request.contains(&id)), "{requests:?}");
    assert_eq!(hands.waits().len(), 1);
}

#[tokio::test]
async fn a_15109_after_a_connection_that_never_was_is_not_marked() {
    let exists = r#"{"code":15109,"message":"m"}"#;
    // Nobody listens on the port yet when the first try is made.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Arc::new(Mutex::new(None));
    let opens = OpensPort { address, server: Arc::clone(&server), answer: raw("400 Bad Request", exists) };
    let client = Client::builder(format!("http://{address}"), org(), "Acme_Messaging", fixed_token())
        .clock(Arc::new(Hands::default()))
        .sleeper(Arc::new(opens))
        .build()
        .unwrap();
    assert_eq!(send(&client, &offer()).await, refused(400, 15109, "m", false));
    assert!(server.lock().unwrap().is_some());
}

/// Opens the port while the client waits for its second try.
struct OpensPort {
    address: std::net::SocketAddr,
    server: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
    answer: String,
}

#[async_trait]
impl Sleeper for OpensPort {
    async fn until(&self, _at: Timestamp) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let answer = self.answer.clone();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 8192];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        *self.server.lock().unwrap() = Some(task);
    }
}

#[tokio::test]
async fn a_yes_that_breaks_off_is_a_lost_answer() {
    let broken = "HTTP/1.1 202 Accepted\r\ncontent-length: 500\r\n\r\n{\"success\":fa".to_owned();
    let body = json!({"success": true, "agentWorkId": "0Bz5e000000WoRk"});
    assert_response_conforms("POST", "/api/v1/agentWork", 202, &body);
    let whole = raw("202 Accepted", &body.to_string());
    let (url, server) = raw_server(vec![Some(broken), Some(whole)]).await;
    let (client, _) = client(&url, fixed_token());
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    assert_eq!(send(&client, &offer()).await, Answer::Done(Reply::Offered(Some(work))));
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_without_end_is_cut_and_its_status_counts() {
    let huge = "x".repeat(3 * 1024 * 1024);
    let server = MockServer::start().await;
    answers(
        &server,
        [ResponseTemplate::new(202).set_body_string(huge.clone())],
        ResponseTemplate::new(400).set_body_string(huge),
    )
    .await;
    let (client, _) = client(&server.uri(), fixed_token());
    let Answer::Refused(refusal) = send(&client, &offer()).await else { panic!("a 400 is a refusal") };
    assert_eq!((refusal.status, refusal.message.len()), (400, 500));
    assert!(refusal.after_lost_try, "whether the 202 said yes nobody knows");
}

#[tokio::test]
async fn an_answer_that_tells_nothing_is_asked_for_once_more_and_is_then_lost() {
    let cancel =
        Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz5e000000WoRk").unwrap()));
    for (body, said) in [
        ("", "202 Accepted, without a body"),
        ("{}", "202 Accepted, without confirmation in the body"),
        ("<html>", "202 Accepted, with an HTML page"),
    ] {
        let server = MockServer::start().await;
        answers(&server, [], ResponseTemplate::new(202).set_body_string(body)).await;
        let (client, _) = client(&server.uri(), fixed_token());
        assert_eq!(send(&client, &cancel).await, Answer::Lost(said.into()), "{body}");
        assert_eq!(server.received_requests().await.unwrap().len(), 2, "{body}");
    }
}
