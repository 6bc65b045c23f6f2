//! Receivers that do as they are told: answer, fail, hang, lie.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// A request that was received.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The data of a CloudEvent in structured mode, or the body.
    pub(super) fn data(&self) -> Value {
        let json = self.json();
        if json.get("specversion").is_some() { json["data"].clone() } else { json }
    }
}

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Answers with a status and a body.
    Status(u16, &'static str),
    /// Answers with these bytes, and closes the connection.
    Bytes(Vec<u8>),
    /// Answers nothing, for as long as the other side waits.
    Hang,
    /// Answers 200 when it is told to.
    When(Arc<Notify>),
    /// Answers with these bytes, and then nothing more.
    HangAfter(Vec<u8>),
    /// Breaks the connection.
    Reset,
    /// Answers 200, with a body without an end.
    Endless,
}

/// A server on a port of its own.
pub(super) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// Starts a server that does with each request what `reply` says, which gets the request and how many came before it.
    pub(super) async fn start(reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (reply, all) = (Arc::new(reply), Arc::clone(&received));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, all) = (Arc::clone(&reply), Arc::clone(&all));
                tokio::spawn(async move {
                    let _ = serve(stream, &all, &*reply).await;
                });
            }
        });
        Self { address, received, serving }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

async fn serve(
    mut stream: TcpStream,
    all: &Mutex<Vec<Received>>,
    reply: &(dyn Fn(&Received, usize) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    let before = {
        let mut all = all.lock().unwrap();
        all.push(request.clone());
        all.len() - 1
    };
    match reply(&request, before) {
        Reply::Status(status, body) => {
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(head.as_bytes()).await?;
        }
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Hang => {
            let _ = stream.read(&mut [0]).await;
        }
        Reply::When(told) => {
            told.notified().await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await?;
        }
        Reply::HangAfter(bytes) => {
            stream.write_all(&bytes).await?;
            let _ = stream.read(&mut [0]).await;
        }
        Reply::Reset => stream.set_zero_linger()?,
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"400\r\n").await?;
                stream.write_all(&[b'x'; 0x400]).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut request = Received { path, headers, body: String::new() };
    let length: usize = request.header("content-length").unwrap().parse().unwrap();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    request.body = String::from_utf8(bytes[end..].to_vec()).unwrap();
    Ok(Some(request))
}
