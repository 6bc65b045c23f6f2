//! A body that breaks off when something ends.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// A body that breaks off when its caller is one no more. It breaks off with an error: nobody takes what was sent for all that there was, and who
/// follows comes again, and learns why.
pub(super) struct UntilEnded {
    body: Body,
    /// `None` when it has ended.
    ended: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl UntilEnded {
    pub(super) fn new(body: Body, ended: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { body, ended: Some(Box::pin(ended)) }
    }
}

impl fmt::Debug for UntilEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilEnded").finish_non_exhaustive()
    }
}

impl HttpBody for UntilEnded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(ended) = &mut self.ended else { return Poll::Ready(None) };
        if ended.as_mut().poll(context).is_ready() {
            self.ended = None;
            return Poll::Ready(Some(Err(axum::Error::new("the token has expired, or is revoked"))));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn it_is_the_body_until_then() {
        let pieces = || stream::iter([Ok::<_, axum::Error>(Bytes::from_static(b"a"))]).chain(stream::pending());
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let body = UntilEnded::new(Body::from_stream(pieces()), async { _ = ended.await });
        let mut read = Body::new(body).into_data_stream();
        assert_eq!(read.next().await.unwrap().unwrap(), "a");
        end.send(()).unwrap();
        assert!(read.next().await.unwrap().is_err());
        assert!(read.next().await.is_none());
    }
}
