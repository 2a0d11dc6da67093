//! What is served beside the org: another's routes on the same port, and the stand-in console.

use super::*;

#[tokio::test]
async fn something_else_is_served_beside_the_org_on_one_port() {
    use axum::Router;
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use std::net::SocketAddr;

    let options = Options {
        seed: 7,
        roster: Roster::default(),
        settings: Settings::default(),
        app: AppSettings::default(),
        fixed_tokens: Vec::new(),
    };
    let clock = Arc::new(Stopped(AtomicI64::new(NOW)));
    let emulator = Emulator::new(options, clock).unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let beside = Router::new()
        .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/emulator/v1/state", get(|| async { "not the org's" }))
        .fallback(|| async { "never asked" });
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let served = tokio::spawn(http::serve_with(listener, emulator, beside, shutdown));
    let get =
        async |path: &str| reqwest::get(format!("{address}{path}")).await.unwrap().text().await.unwrap();
    assert_eq!(get("/").await, "127.0.0.1", "its handlers know who asks");
    assert_eq!(get("/emulator/v1/state").await, "not the org's", "its routes go first");
    let books: Value = serde_json::from_str(&get("/emulator/v1/books").await).unwrap();
    assert_eq!(books["entries"], json!([]), "the rest is the org's");
    let refused: Value = serde_json::from_str(&get("/api/v1/route").await).unwrap();
    assert!(refused["code"].is_number(), "and so is what has no route: {refused}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stand_in_console_is_served_whole_and_names_what_it_shows() {
    let server = Server::start().await;
    let mut open = vec!["/console".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        let text = response.text().await.unwrap();
        seen.push(path);
        // What a file names, in quotes: other files by their whole path, or beside it.
        let is_file =
            |part: &&str| part.rsplit_once('.').is_some_and(|(_, end)| ["js", "css"].contains(&end));
        for name in text.split('"').filter(is_file) {
            let wanted = name.strip_prefix("./").map_or(name.to_owned(), |name| format!("/console/{name}"));
            if !seen.contains(&wanted) && !open.contains(&wanted) {
                open.push(wanted);
            }
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
    assert_eq!(server.get("/console/names").await, json!({ ANNA: "", BO: "", QUEUE: "Billing" }));
    server.stops().await;
}
