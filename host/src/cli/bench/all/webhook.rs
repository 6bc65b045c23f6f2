//! A receiver of webhooks that takes each message at once, and tells when it has it.

use std::{convert::Infallible, net::SocketAddr, time::Instant};

use anyhow::Context;
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::connection::read;

/// The variable of a host that has the secret by which it signs messages, and the secret.
pub(super) const SECRET_VARIABLE: &str = "GNOMON_SECRET_BENCH";
pub(super) const SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYmVuY2htYXJrLCAzMi4=";

/// A message that has come.
#[derive(Clone, Copy)]
pub(super) struct Received {
    /// Of the event that it comes from.
    pub(super) position: u64,
    pub(super) at: Instant,
}

/// Takes messages until it is dropped.
pub(super) struct Webhook {
    address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    accepting: AbortHandle,
}

/// What is read of a CloudEvent.
#[derive(Deserialize)]
struct CloudEvent {
    gnomonposition: String,
}

impl Webhook {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (tell, received) = mpsc::unbounded_channel();
        let accepting = tokio::spawn(accept(listener, tell)).abort_handle();
        Ok(Self { address, received, accepting })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Waits for the message of the event at a position. Others may come before: those that were sent again.
    pub(super) async fn until(&mut self, position: u64) -> anyhow::Result<Instant> {
        loop {
            let received = self.received.recv().await.context("the receiver of webhooks has ended")?;
            if received.position == position {
                return Ok(received.at);
            }
        }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The connections end with this task.
async fn accept(listener: TcpListener, tell: mpsc::UnboundedSender<Received>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if let Ok((socket, _)) = listener.accept().await {
            // Without it answers wait for the acknowledgement of those before.
            let _ = socket.set_nodelay(true);
            let tell = tell.clone();
            let take = service_fn(move |request| take(request, tell.clone()));
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), take));
        }
    }
}

async fn take(
    request: Request<Incoming>,
    tell: mpsc::UnboundedSender<Received>,
) -> Result<Response<String>, Infallible> {
    let body = read(request.into_body()).await;
    let at = Instant::now();
    let position = body.ok().and_then(|body| position(&body));
    let mut response = Response::new(String::new());
    match position {
        // Nobody may wait for it any more.
        Some(position) => drop(tell.send(Received { position, at })),
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}

fn position(body: &[u8]) -> Option<u64> {
    let event: CloudEvent = serde_json::from_slice(body).ok()?;
    event.gnomonposition.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_read_of_a_cloud_event() {
        assert_eq!(position(br#"{"id":"a","gnomonposition":"17","data":{}}"#), Some(17));
        assert_eq!(position(br#"{"id":"a"}"#), None);
    }
}
