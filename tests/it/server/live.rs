//! The server on a real socket.

use std::net::SocketAddr;
use std::sync::Arc;

use byoc_connector::server::{Parts, Server, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::rig::{ORG, org, service};

pub(super) struct Live {
    pub(super) address: SocketAddr,
    pub(super) server: Server,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) task: JoinHandle<std::io::Result<()>>,
}

/// With these settings, at whatever port is free.
pub(super) async fn live(settings: Settings) -> Live {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service(vec![org(ORG, "http://127.0.0.1:9", true)]).await;
    let settings = Settings { listen: address, ..settings };
    let parts = Parts { settings, service, reload: None, metrics: Arc::new(|| "byoc_up 1\n".to_owned()) };
    let server = Server::new(parts).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, server.clone(), async move { drop(stopped.await) }));
    Live { address, server, stop, task }
}

/// All that is answered to what is sent, until the server hangs up.
pub(super) async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request).await.expect("all of it is taken");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("the connection is closed in order");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request for a path that is the last of its connection.
pub(super) fn last_get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}
