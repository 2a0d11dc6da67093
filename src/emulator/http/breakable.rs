//! Connections that can be broken from inside: how a lost answer looks on the wire.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::http::Request;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Breaks the connection that a request came over: nothing more is written to it.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    broken: Arc<AtomicBool>,
    peer: SocketAddr,
}

/// Lets handlers that know nothing of this listener extract `ConnectInfo<SocketAddr>`.
pub(super) async fn tell_address<B>(
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    mut request: Request<B>,
) -> Request<B> {
    request.extensions_mut().insert(ConnectInfo(breaker.peer));
    request
}

impl Breaker {
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// Whether the connection comes from this machine.
    pub(super) fn is_from_this_machine(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    fn check(&self) -> io::Result<()> {
        if self.broken.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A listener whose connections can be broken.
#[derive(Debug)]
pub(super) struct Breakable(pub(super) TcpListener);

impl Listener for Breakable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it an event waits up to 40 ms for the answer to what was sent before it. Where the system
        // will not have it, that is all that happens.
        drop(stream.set_nodelay(true));
        let breaker = Breaker { broken: Arc::default(), peer: address };
        (Connection { stream, breaker }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that can be broken.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    breaker: Breaker,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
