//! The emulated org's face: token endpoint, Interaction Service API, the org's REST API, Pub/Sub API (gRPC), a control API for
//! tests and a stand-in for the rep's console, all on one port.
//!
//! It owns what the model must not: the socket, the clock, the chance in "only likely" faults, and the
//! waiting that a delay asks for. It decides nothing about the org.
//!
//! Invariants
//! 1. One lock around the model: calls are carried out one after another, in the order of their arrival.
//! 2. What the model has due by itself happens without a call coming in.
//! 3. Shutting down waits for no long poll.

mod api;
mod app;
mod breakable;
mod console;
mod control;
mod guard;
mod oauth;
mod org;
mod pubsub;
mod rest;
mod tls;

use std::io;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, map_request};
use axum::routing::{any, get, post};
use tokio::net::TcpListener;

pub use api::BODY_LIMIT;
pub use app::{AppSettings, SAMPLE_PRIVATE_KEY, SAMPLE_PUBLIC_KEY};
pub use org::{Emulator, Options};
pub use pubsub::{StreamCounts, StreamFault};
pub use rest::RestPlan;
pub use tls::{BadNames, Tls};

impl Emulator {
    fn router(self) -> Router {
        let driven = Router::new()
            .route("/emulator/v1", get(control::identity))
            .nest("/emulator/v1", control::router())
            .merge(console::router())
            .layer(from_fn(guard::own_pages_alone));
        Router::new()
            .route("/services/oauth2/token", post(oauth::token))
            .route("/services/oauth2/userinfo", get(oauth::user_info))
            .merge(driven)
            .merge(rest::router())
            .merge(pubsub::router(self.clone()))
            .fallback(any(api::call))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(self)
    }
}

/// Serves the org until `shutdown` is ready; then what is under way is finished first.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    emulator: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_with(listener, emulator, Router::new(), shutdown).await
}

/// As [`serve`], over TLS: nothing is answered without.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_tls(
    listener: TcpListener,
    tls: &Tls,
    emulator: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_all(listener, Some(tls), emulator, Router::new(), shutdown).await
}

/// Serves the org and something else on one port: what `beside` has a route for goes there, all the rest
/// to the org. A fallback of `beside` is never asked, and its layers do not reach the org.
///
/// Handlers of `beside` may extract `ConnectInfo<SocketAddr>`. At `shutdown` they are to end their streams
/// themselves: whoever is served is waited for.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_with(
    listener: TcpListener,
    emulator: Emulator,
    beside: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_all(listener, None, emulator, beside, shutdown).await
}

async fn serve_all(
    listener: TcpListener,
    tls: Option<&Tls>,
    emulator: Emulator,
    beside: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // An org that was served before, and is again.
    emulator.0.closing.send_replace(false);
    let closing = emulator.clone();
    let stop = async move {
        shutdown.await;
        closing.0.closing.send_replace(true);
    };
    let time = emulator.clone().keep_time();
    let service = beside
        .fallback_service(emulator.router())
        .layer(map_request(breakable::tell_address))
        .into_make_service_with_connect_info::<breakable::ConnectionBreaker>();
    let listener = breakable::BreakableListener::new(listener, tls.map(|tls| tls.acceptor.clone()));
    let server = axum::serve(listener, service).with_graceful_shutdown(stop);
    tokio::select! {
        result = server.into_future() => result,
        () = time => Ok(()),
    }
}
