//! A receiver of traces and logs that does nothing with them, so that a host can be measured that sends some.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::ensure;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

/// Takes what a host sends, on the machine of the host, until it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    accepting: AbortHandle,
}

impl Receiver {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, bytes) = (listener.local_addr()?, Arc::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&bytes))).abort_handle();
        Ok(Self { address, bytes, accepting })
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails if a host that has ended has sent nothing: then nothing of sending was measured.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(self.bytes.load(Ordering::Relaxed) > 0, "the host of the benchmark has sent no traces and no logs");
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The connections end with this task.
async fn accept(listener: TcpListener, bytes: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        // A host has one connection for each signal, or a few.
        while connections.try_join_next().is_some() {}
        if let Ok((socket, _)) = listener.accept().await {
            let bytes = Arc::clone(&bytes);
            let take = service_fn(move |request| take(request, Arc::clone(&bytes)));
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), take));
        }
    }
}

/// Reads a request to its end. An answer without a body says that all of it was taken.
async fn take(request: Request<Incoming>, bytes: Arc<AtomicU64>) -> Result<Response<String>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.into_data() {
            bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
    }
    Ok(Response::new(String::new()))
}
