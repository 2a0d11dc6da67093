//! A client's connection, with an end to every wait for the client.
//!
//! Invariants
//! 1. What is to be written is taken within the time that it has, all of it: a client that reads nothing, or a byte
//!    now and then, is hung up on.
//! 2. An answer that is given before the request has been read reaches the client: for a moment, what the client
//!    still sends is read and dropped. Closed at once, the connection would be reset, and the answer lost.
//!
//! Elsewhere: how long a head and a request may take, in `listen` and `layers`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep, timeout};

/// How long what a client still sends is read once it has been answered.
const LINGER: Duration = Duration::from_secs(2);

/// How many bytes of it are read.
const LINGER_BYTES: usize = 16 << 20;

/// A connection, and its seat.
pub(super) struct Socket {
    /// None once it has been handed on.
    stream: Option<TcpStream>,
    seat: Option<OwnedSemaphorePermit>,
    /// How long the client may take to read what is written.
    within: Duration,
    /// When it must have been read, where something waits.
    until: Option<Pin<Box<Sleep>>>,
    /// Whether nothing more comes, or there is nobody to wait for.
    is_over: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, seat: OwnedSemaphorePermit, within: Duration) -> Self {
        Self { stream: Some(stream), seat: Some(seat), within, until: None, is_over: false }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// What came of writing so many bytes, and whether the client has had its time.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        wanted: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) if bytes >= wanted => return written,
            Poll::Ready(Err(_)) => {
                self.is_over = true;
                return written;
            }
            _ => {}
        }
        let within = self.within;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(within)));
        if until.as_mut().poll(context).is_ready() {
            self.is_over = true;
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        let read = self.stream()?.poll_read(context, buffer);
        let ended = matches!(&read, Poll::Ready(Ok(()))) && before > 0 && buffer.remaining() == before;
        if ended || matches!(&read, Poll::Ready(Err(_))) {
            self.is_over = true;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(context, bytes);
        self.written(context, bytes.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write_vectored(context, parts);
        let wanted = parts.iter().map(|part| part.len()).sum();
        self.written(context, wanted, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    /// Called when all that there was has been written: nothing waits any more.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream()?.poll_flush(context);
        if flushed.is_ready() {
            self.until = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) else { return };
        if !self.is_over {
            runtime.spawn(linger(stream, self.seat.take()));
        }
    }
}

/// Reads what the client still sends, until it hangs up too.
async fn linger(mut stream: TcpStream, _seat: Option<OwnedSemaphorePermit>) {
    let read = async {
        stream.shutdown().await?;
        let (mut buffer, mut left) = (vec![0; 16 * 1024], LINGER_BYTES);
        loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok::<_, io::Error>(()),
                bytes if bytes >= left => return Ok(()),
                bytes => left = left.saturating_sub(bytes),
            }
        }
    };
    // However it ends, the connection is closed now.
    timeout(LINGER, read).await.ok();
}
