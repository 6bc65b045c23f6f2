//! The requests of an HTTP/2 connection, each of which has a task of its own, and the answers that their clients do not read.
//!
//! Behind HTTP/1.1 a client that does not read stops the connection, which [`WriteTimeout`](super::write_timeout::WriteTimeout) ends. With
//! HTTP/2 it leaves the window of one stream closed while the connection goes on: nothing is ever written for it, so nothing is late. So the
//! pieces of the answer are watched here, and the stream is reset whose client reads none.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::{
    body::{Frame, SizeHint},
    rt::Executor,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// An answer goes to hyper in pieces of this size, and the next one when the client's window has room for more. As a whole, an answer would wait for its
/// client where its memory is not counted.
const PIECE_BYTES: usize = 16 * 1024;

tokio::task_local! {
    /// Of the stream that this task answers.
    static PROGRESS: Arc<Progress>;
}

/// How far an answer has been sent.
#[derive(Debug, Default)]
struct Progress {
    /// The number of the piece that waits for its client; 0 if none does.
    waits: AtomicU64,
}

/// Runs the tasks of a connection's streams.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    tasks: TaskTracker,
    ended: CancellationToken,
    timeout: Duration,
}

impl Streams {
    /// Streams that end when `ended` is cancelled, and whose answers may not be read for `timeout`.
    pub(super) fn new(tasks: TaskTracker, ended: CancellationToken, timeout: Duration) -> Self {
        Self { tasks, ended, timeout }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let Self { tasks, ended, timeout } = self.clone();
        tasks.spawn(async move {
            let progress = Arc::<Progress>::default();
            let answered = PROGRESS.scope(Arc::clone(&progress), stream);
            // Dropped, a stream that has not ended is reset.
            tokio::select! {
                biased;
                _ = answered => {}
                () = ended.cancelled() => {}
                () = stalled(&progress, timeout) => {}
            }
        });
    }
}

/// Waits until one and the same piece has waited for its client from one look to the next.
async fn stalled(progress: &Progress, timeout: Duration) {
    let mut seen = 0;
    loop {
        tokio::time::sleep(timeout).await;
        let waits = progress.waits.load(Ordering::Relaxed);
        if waits > 0 && waits == seen {
            return;
        }
        seen = waits;
    }
}

/// A body that is sent in pieces, each of which is noted until its client has read what is before it.
#[derive(Debug)]
pub(super) struct Pieces<B> {
    body: B,
    /// What has come from the body and is not sent yet.
    rest: Bytes,
    pieces: u64,
    progress: Option<Arc<Progress>>,
}

impl<B> Pieces<B> {
    /// To be called in the task of the stream.
    pub(super) fn new(body: B) -> Self {
        let progress = PROGRESS.try_with(Arc::clone).ok();
        Self { body, rest: Bytes::new(), pieces: 0, progress }
    }

    fn waits(&self, piece: u64) {
        if let Some(progress) = &self.progress {
            progress.waits.store(piece, Ordering::Relaxed);
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Pieces<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        // hyper asks when it has handed over the piece before: if it waits from now on, then for this host.
        self.waits(0);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        self.pieces += 1;
        self.waits(self.pieces);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, mut hint) = (self.rest.len() as u64, self.body.size_hint());
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
