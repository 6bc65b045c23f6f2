//! The receiver of a reactor's messages and calls, which fails, hangs and lies at times.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rand::{RngExt, rngs::StdRng};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A message or a call that came, each time that it did.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    /// Whether it is a call.
    pub(super) is_call: bool,
    /// The id of the message, or the key of the call.
    pub(super) id: String,
    /// Of a message, what is in order with it.
    pub(super) key: String,
    /// The position of the event that it comes from, as it says.
    pub(super) position: u64,
}

/// What the receiver does with a request that it has read. Whatever it does, it has read it.
#[derive(Clone, Copy, Debug)]
enum Reply {
    /// Answers these bytes, and closes the connection.
    Bytes(&'static str),
    /// Answers these bytes, and then nothing more for as long as the other side waits.
    Hang(&'static str),
    /// Answers 200, with a body that does not end.
    Endless,
}

/// That it has taken it.
const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntrue";
/// What else it does, three times in ten.
const TROUBLE: [Reply; 10] = [
    Reply::Bytes("HTTP/1.1 500 X\r\ncontent-length: 6\r\nconnection: close\r\n\r\nbroken"),
    Reply::Bytes("HTTP/1.1 503 X\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    Reply::Bytes("HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    Reply::Bytes("HTTP/1.1 409 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    Reply::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf of what it says"),
    Reply::Bytes("220 not a server of HTTP\r\n"),
    Reply::Bytes(""),
    Reply::Hang(""),
    Reply::Hang("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntr"),
    Reply::Endless,
];
/// A call that is refused for good.
const REFUSED: &str = "HTTP/1.1 422 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";

/// A server on loopback.
pub(super) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Receipt>>>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    pub(super) async fn start(mut random: StdRng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&received);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply =
                    if random.random_bool(0.3) { Some(TROUBLE[random.random_range(0..TROUBLE.len())]) } else { None };
                let all = Arc::clone(&all);
                // A host that is killed breaks the connection.
                tokio::spawn(async move {
                    let _ = serve(stream, &all, reply).await;
                });
            }
        });
        Self { address, received, serving }
    }

    /// Where messages go, or calls.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// All that came, in the order in which it came.
    pub(super) fn received(&self) -> Vec<Receipt> {
        self.received.lock().unwrap().clone()
    }
}

/// Whether the call from an event is refused for good: always the same ones, so that a repeat has the same answer.
pub(super) fn is_refused(position: u64) -> bool {
    position.is_multiple_of(5)
}

async fn serve(mut stream: TcpStream, all: &Mutex<Vec<Receipt>>, trouble: Option<Reply>) -> std::io::Result<()> {
    let Some(receipt) = read(&mut stream).await? else { return Ok(()) };
    let taken = if receipt.is_call && is_refused(receipt.position) { REFUSED } else { TAKEN };
    let reply = match trouble {
        // An answer without an end is the answer to a call: the reactor would be told that it failed.
        Some(Reply::Endless) if receipt.is_call => Reply::Hang(""),
        Some(trouble) => trouble,
        None => Reply::Bytes(taken),
    };
    all.lock().unwrap().push(receipt);
    match reply {
        Reply::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await?,
        Reply::Hang(bytes) => {
            stream.write_all(bytes.as_bytes()).await?;
            let _ = stream.read(&mut [0]).await;
        }
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

/// Reads a request; `None` if it breaks off.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Receipt>> {
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
    let header = |wanted: &str| {
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").unwrap().parse().unwrap();
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let body: Value = serde_json::from_slice(&bytes[end..]).unwrap();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Ok(Some(match header("idempotency-key") {
        Some(id) => Receipt { is_call: true, id, key: String::new(), position: body.as_u64().unwrap() },
        None => {
            assert_eq!(header("webhook-id").as_deref(), Some(text("id").as_str()));
            assert!(header("webhook-signature").is_some(), "{head}");
            let position = body["data"].as_u64().unwrap();
            assert_eq!(text("gnomonposition"), position.to_string());
            Receipt { is_call: false, id: text("id"), key: text("partitionkey"), position }
        }
    }))
}
