//! A request body that must keep coming.
//!
//! `listen` wraps every request's body in a [`PacedBody`]; `problem` turns [`BodyTooSlow`] into a
//! 408. It never limits how large a body is: that is the reader's business.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::limits::Limits;

/// The client sent less than the limit asks for in one stretch of time.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too slowly")]
pub struct BodyTooSlow;

/// A body that fails with [`BodyTooSlow`] when fewer than `body_progress_bytes_min` bytes arrive
/// within `body_progress`. The clock starts when its reader first has to wait for the client.
#[derive(Debug)]
pub struct PacedBody {
    inner: Incoming,
    limits: Limits,
    progress_bytes: usize,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    /// Wraps what hyper hands over.
    pub fn new(inner: Incoming, limits: Limits) -> Self {
        Self {
            inner,
            limits,
            progress_bytes: 0,
            deadline: None,
        }
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        self.progress_bytes += frame.data_ref().map_or(0, Bytes::len);
        if self.progress_bytes >= self.limits.body_progress_bytes_min {
            self.progress_bytes = 0;
            self.deadline = None;
        }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.count(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let wait = this.limits.body_progress;
                let deadline = this
                    .deadline
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
                match deadline.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(BodyTooSlow.into()))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
