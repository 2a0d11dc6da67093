//! Connections that can be broken from inside: how a lost answer looks on the wire. With or without TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::http::Request;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How many TLS handshakes may be under way.
const HANDSHAKES: usize = 256;

/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Breaks the connection that a request came over: nothing more is written to it.
#[derive(Debug, Clone)]
pub(super) struct ConnectionBreaker {
    broken: Arc<AtomicBool>,
    peer: SocketAddr,
    scheme: &'static str,
}

/// Lets handlers that know nothing of this listener extract `ConnectInfo<SocketAddr>`.
pub(super) async fn tell_address<B>(
    ConnectInfo(breaker): ConnectInfo<ConnectionBreaker>,
    mut request: Request<B>,
) -> Request<B> {
    request.extensions_mut().insert(ConnectInfo(breaker.peer));
    request
}

impl ConnectionBreaker {
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Whether the connection comes from this machine.
    pub(super) fn is_from_this_machine(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    /// `http` or `https`.
    pub(super) const fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn check(&self) -> io::Result<()> {
        if self.broken.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionBreaker {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A listener whose connections can be broken.
pub(super) struct BreakableListener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handshakes: JoinSet<Option<Connection>>,
}

impl BreakableListener {
    pub(super) fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Self { listener, tls, handshakes: JoinSet::new() }
    }
}

impl Listener for BreakableListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let has_room = self.handshakes.len() < HANDSHAKES;
            tokio::select! {
                (stream, peer) = Listener::accept(&mut self.listener), if has_room => {
                    // Without it an event waits up to 40 ms for the answer to what was sent before it. Where
                    // the system will not have it, that is all that happens.
                    drop(stream.set_nodelay(true));
                    match self.tls.clone() {
                        None => return (Connection::new(stream, peer, "http"), peer),
                        // Nobody waits for the handshake of another.
                        Some(acceptor) => drop(self.handshakes.spawn(shake_hands(acceptor, stream, peer))),
                    }
                }
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        let peer = connection.breaker.peer;
                        return (connection, peer);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// None where the client does not agree; it has been told why.
async fn shake_hands(acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
    let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => Some(Connection::new(stream, peer, "https")),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "no TLS with a client");
            None
        }
        Err(_) => None,
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that can be broken.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    breaker: ConnectionBreaker,
}

impl Connection {
    fn new(stream: impl Stream + 'static, peer: SocketAddr, scheme: &'static str) -> Self {
        Self { stream: Box::new(stream), breaker: ConnectionBreaker { broken: Arc::default(), peer, scheme } }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut *self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
