//! The listener: connections are accepted, bounded, and drained when it is time to go.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::Server;

/// How many connections are open at once; others wait in the system's queue.
const CONNECTIONS: usize = 2048;

/// How long a client may take to send a request's head, and to come back on a connection that is idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);

/// How many bytes are read ahead; a head must fit.
const READ_AHEAD: usize = 64 * 1024;

/// How long what is under way may take once it is time to go.
const DRAIN_WITHIN: Duration = Duration::from_secs(4);

/// How long to wait when no connection can be accepted: the system is out of something.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is ready; then what is under way is finished first, within four seconds.
///
/// # Errors
/// Where the listener is not on loopback, as the settings say that it is.
pub async fn serve(
    listener: TcpListener,
    server: Server,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if server.settings().is_loopback() && !address.ip().to_canonical().is_loopback() {
        let problem =
            format!("the settings say {}, and the listener is at {address}", server.settings().listen);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    say_who_is_let_in(&server);
    let router = server.router();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(READ_AHEAD);
    let accept = async {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
            let socket = match listener.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            socket.set_nodelay(true).ok();
            let service = TowerToHyperService::new(router.clone());
            let connection = graceful.watch(http.serve_connection(TokioIo::new(socket), service));
            tokio::spawn(async move {
                // A client that breaks off is its own business.
                connection.await.ok();
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = pin!(shutdown) => {}
    }
    drop(listener);
    server.close();
    if tokio::time::timeout(DRAIN_WITHIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the server stopped");
    }
    Ok(())
}

/// Says at the start for whom there is no credential, and what follows from it.
fn say_who_is_let_in(server: &Server) {
    let settings = server.settings();
    let groups = [
        ("the reps' page", "session_secret_file or session_jwks_url", settings.session.is_none()),
        ("your backend", "events_secret_file", settings.events_secret.is_none()),
        ("operators", "operator_secret_file", settings.operator_secret.is_none()),
    ];
    for (who, key, _) in groups.iter().filter(|(_, _, missing)| *missing) {
        if settings.is_loopback() {
            tracing::warn!(
                "no credential is set for {who}: anybody on this machine is let in, and the server stays on loopback \
                 ({key} sets one)"
            );
        } else {
            tracing::warn!("no credential is set for {who}, so that nobody is let in ({key} sets one)");
        }
    }
}
