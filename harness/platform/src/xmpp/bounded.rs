//! A connection on which the other side can say only so much at a time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The most that is read, in bytes, before something whole must have been understood. An XML parser keeps an element until
/// its end, so without a bound a server could fill the memory with one that never ends.
const MAX_ELEMENT: usize = 1024 * 1024;

/// What may still be read.
#[derive(Clone)]
pub struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// Something whole was understood: the count begins anew.
    pub fn renew(&self) {
        self.0.store(MAX_ELEMENT, Ordering::Relaxed);
    }
}

/// A connection with an allowance.
pub struct Bounded {
    inner: TcpStream,
    allowance: Allowance,
}

impl Bounded {
    pub fn new(inner: TcpStream) -> (Self, Allowance) {
        let allowance = Allowance(Arc::new(AtomicUsize::new(MAX_ELEMENT)));
        (Self { inner, allowance: allowance.clone() }, allowance)
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let left = self.allowance.0.load(Ordering::Relaxed).checked_sub(read);
        let Some(left) = left else {
            return Poll::Ready(Err(io::Error::other(format!("an element is longer than {MAX_ELEMENT} bytes"))));
        };
        self.allowance.0.store(left, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
