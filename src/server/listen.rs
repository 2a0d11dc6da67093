//! The listeners: connections are accepted, bounded, and drained when it is time to go.
//!
//! Invariants
//! 1. No more connections are open than the system has descriptors for, with room for everything else.
//! 2. Health and numbers have seats of their own: where all others are taken, a connection more is still accepted,
//!    and answered that and nothing else.
//!
//! Elsewhere: how long a client may take to read in `socket`, what the system allows in `descriptors`.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::VITAL_SEATS;
use super::socket::Socket;
use super::{Server, descriptors};

/// How long a client may take to send a request's head, and to come back on a connection that is idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);

/// The same for whoever has come for health and numbers.
const VITAL_HEADERS_WITHIN: Duration = Duration::from_secs(2);

/// How long a client may take to read what is written to it. An event of a stream is such a piece, and so is an
/// answer.
pub const READ_WITHIN: Duration = Duration::from_secs(20);

/// The same for whoever has come for health and numbers.
const VITAL_READ_WITHIN: Duration = Duration::from_secs(5);

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
        let problem = format!(
            "the configured address is {}, but the listener is at {address}",
            server.settings().listen
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    say_who_is_let_in(&server);
    let seats = descriptors::seats(server.settings().connections);
    tracing::debug!(seats, vital_seats = VITAL_SEATS, "limit of open connections");
    let all = Kind::usual(server.router(), seats);
    let vital = Kind::vital(server.vital_router());
    let graceful = GracefulShutdown::new();
    let accept = async {
        loop {
            let Some(spare) = vital.seat().await else { break };
            let socket = accept(&listener).await;
            match Arc::clone(&all.seats).try_acquire_owned() {
                Ok(seat) => all.serve(socket, seat, &graceful),
                Err(_) => vital.serve(socket, spare, &graceful),
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = pin!(shutdown) => {}
    }
    drop(listener);
    server.close();
    if tokio::time::timeout(DRAIN_WITHIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still open when the server stopped");
    }
    Ok(())
}

/// Serves health and numbers alone, on an address of their own, for as long as it is polled.
pub async fn serve_vital(listener: TcpListener, server: Server) {
    let vital = Kind::vital(server.vital_router());
    let graceful = GracefulShutdown::new();
    while let Some(seat) = vital.seat().await {
        let socket = accept(&listener).await;
        vital.serve(socket, seat, &graceful);
    }
}

/// The next connection. Where none can be had, it is tried again: what is missing may come back.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                socket.set_nodelay(true).ok();
                return socket;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// A kind of connections: how they are served, and how many of them.
struct Kind {
    http: http1::Builder,
    router: Router,
    seats: Arc<Semaphore>,
    read_within: Duration,
}

impl Kind {
    fn usual(router: Router, seats: usize) -> Self {
        let http = http(HEADERS_WITHIN);
        Self { http, router, seats: Arc::new(Semaphore::new(seats)), read_within: READ_WITHIN }
    }

    fn vital(router: Router) -> Self {
        let mut http = http(VITAL_HEADERS_WITHIN);
        // The seat is for whoever asks next.
        http.keep_alive(false);
        let seats = Arc::new(Semaphore::new(VITAL_SEATS));
        Self { http, router, seats, read_within: VITAL_READ_WITHIN }
    }

    /// A seat, when one is free. The semaphore is never closed.
    async fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).acquire_owned().await.ok()
    }

    fn serve(&self, socket: TcpStream, seat: OwnedSemaphorePermit, graceful: &GracefulShutdown) {
        let socket = Socket::new(socket, seat, self.read_within);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = graceful.watch(self.http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            // A client that breaks off is its own business.
            connection.await.ok();
        });
    }
}

fn http(headers_within: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(headers_within);
    // A hundred headers, as it is without being asked: more is 431.
    http.max_buf_size(READ_AHEAD);
    http
}

/// Says at the start for whom there is no credential, and what follows from it.
fn say_who_is_let_in(server: &Server) {
    let settings = server.settings();
    let groups = [
        ("the reps' page", "session_secret_file or session_jwks_url", settings.session.is_none()),
        ("your backend", "events_secret_file or [[partner_keys]]", !settings.has_partner_credential()),
        ("operators", "operator_secret_file", settings.operator_secret.is_none()),
    ];
    for (who, key, _) in groups.iter().filter(|(_, _, missing)| *missing) {
        if settings.is_loopback() {
            tracing::warn!(
                "no credential for {who}: every process on this machine has access, and the server only listens on \
                 loopback (set {key})"
            );
        } else {
            tracing::warn!("no credential for {who}: access is denied (set {key})");
        }
    }
}
