//! A connection to a host that does no more than a client must: clients share the cores with the host.

use std::{future::poll_fn, net::SocketAddr, pin::Pin};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use hyper::{
    Method, Request, StatusCode,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Bytes that are shown of an answer that is not a success.
const SHOWN: usize = 400;

/// A connection that is kept: one request after the other.
pub(super) struct Connection {
    requests: SendRequest<String>,
    address: SocketAddr,
    host: String,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let cannot_connect = || format!("cannot connect to the host of the benchmark at {address}");
        let stream = TcpStream::connect(address).await.with_context(cannot_connect)?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(cannot_connect)?;
        // It ends with the connection; its error is that of the request under way.
        tokio::spawn(connection);
        Ok(Self { requests, address, host: address.to_string() })
    }

    /// Another connection to the same host.
    pub(super) async fn again(&self) -> anyhow::Result<Self> {
        Self::open(self.address).await
    }

    /// So many connections.
    pub(super) async fn open_several(address: SocketAddr, connections: usize) -> anyhow::Result<Vec<Self>> {
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            opened.push(Self::open(address).await?);
        }
        Ok(opened)
    }

    /// Sends JSON; returns the answer, which is a success.
    pub(super) async fn post(&mut self, path: &str, json: String) -> anyhow::Result<Vec<u8>> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(json)?).await
    }

    /// Reads a path; returns the answer, which is a success.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.request(Method::GET, path);
        self.send(request.body(String::new())?).await
    }

    /// Reads a path of a read model when it holds the effect of the event at a position.
    pub(super) async fn get_at(&mut self, path: &str, position: u64) -> anyhow::Result<Vec<u8>> {
        let request =
            self.request(Method::GET, path).header("gnomon-min-position", position).header("prefer", "wait=30");
        self.send(request.body(String::new())?).await
    }

    /// Follows a path of a read model, for as long as what is returned is there.
    pub(super) async fn follow(mut self, path: &str) -> anyhow::Result<Following> {
        let request = self.request(Method::GET, path).header(header::ACCEPT, "text/event-stream");
        self.requests.ready().await?;
        let answer = self.requests.send_request(request.body(String::new())?).await?;
        let (status, body) = (answer.status(), answer.into_body());
        match status.is_success() {
            true => Ok(Following { body, _requests: self.requests }),
            false => Err(refused(status, &read(body).await?)),
        }
    }

    fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::HOST, &self.host)
    }

    async fn send(&mut self, request: Request<String>) -> anyhow::Result<Vec<u8>> {
        self.requests.ready().await?;
        let answer = self.requests.send_request(request).await?;
        let status = answer.status();
        let bytes = read(answer.into_body()).await?;
        check(status, &bytes)?;
        Ok(bytes)
    }
}

/// An answer that follows.
pub(super) struct Following {
    body: Incoming,
    /// Without it, the connection would end.
    _requests: SendRequest<String>,
}

impl Following {
    /// The next piece of it; `None` at its end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        while let Some(frame) = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

/// All of a body.
pub(super) async fn read(mut body: Incoming) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn check(status: StatusCode, body: &[u8]) -> anyhow::Result<()> {
    if status.is_success() { Ok(()) } else { Err(refused(status, body)) }
}

fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    anyhow!("the host of the benchmark answered {status}: {shown}")
}
