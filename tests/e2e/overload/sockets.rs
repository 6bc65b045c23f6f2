//! Clients that begin and do not go on.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream};

/// What a client does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlowClient {
    /// It connects, and that is all.
    SaysNothing,
    /// It sends the half of a request's head.
    HalfHead,
    /// It sends the half of an append's body.
    HalfBody,
    /// It asks for a page of events, and does not read it.
    UnreadPage,
    /// It follows the log, and does not read.
    UnreadFollower,
}

impl SlowClient {
    fn request(self, host: &str) -> Vec<u8> {
        let get = |path: &str, accept: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n");
        let request = match self {
            Self::SaysNothing => String::new(),
            Self::HalfHead => format!("GET /v1/events HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
            Self::HalfBody => {
                let head = "content-type: application/json\r\ncontent-length: 200000";
                format!("POST /v1/streams/a-1/events HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n{}", " ".repeat(100_000))
            }
            Self::UnreadPage => get("/v1/events?limit=1000", "application/json"),
            Self::UnreadFollower => get("/v1/events", "text/event-stream"),
        };
        request.into_bytes()
    }
}

/// Opens so many connections. Those that the host has begun to answer, it answers when this returns.
pub(super) async fn open(url: &str, kind: SlowClient, clients: usize) -> Vec<TcpStream> {
    let host = url.strip_prefix("http://").unwrap();
    let request = kind.request(host);
    let mut opened = Vec::new();
    for _ in 0..clients {
        let mut stream = TcpStream::connect(host).await.unwrap();
        // A host that refuses does not read all.
        let _ = stream.write_all(&request).await;
        opened.push(stream);
    }
    if matches!(kind, SlowClient::UnreadPage | SlowClient::UnreadFollower) {
        for stream in &opened {
            let _ = tokio::time::timeout(Duration::from_secs(10), stream.readable()).await;
        }
    }
    opened
}
