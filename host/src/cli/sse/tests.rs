use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, http::HeaderMap, response::Response, routing::get};
use futures_util::stream;
use proptest::prelude::*;

use super::*;

/// The answers to connections, one after the other, in chunks; and the `Last-Event-ID` of each connection.
#[derive(Clone, Default)]
struct Host {
    answers: Arc<Mutex<Vec<Vec<Vec<u8>>>>>,
    last_event_ids: Arc<Mutex<Vec<Option<String>>>>,
}

impl Host {
    /// A host that gives these answers, and the last one again and again.
    async fn start(answers: impl IntoIterator<Item = Vec<Vec<u8>>>) -> (Self, Client) {
        async fn answer(State(host): State<Host>, headers: HeaderMap) -> Response {
            let id = headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
            host.last_event_ids.lock().unwrap().push(id);
            let mut answers = host.answers.lock().unwrap();
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
            Response::new(Body::from_stream(stream::iter(answer.into_iter().map(Ok::<_, Infallible>))))
        }
        let host = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let router = Router::new().fallback(get(answer)).with_state(host.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        (host, Client::of(&url).unwrap())
    }
}

/// Keeps the messages until one says that it is the last.
#[derive(Default)]
struct Recorder {
    messages: Vec<Message>,
    pauses: Vec<String>,
}

impl Listener for Recorder {
    fn request(&self, client: &Client) -> RequestBuilder {
        client.get(&["events"])
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>> {
        let is_last = message.data.as_deref() == Some("last");
        self.messages.push(message);
        Ok(if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn pause(&mut self, message: &str) {
        self.pauses.push(message.to_owned());
    }
}

async fn record(client: &Client, max_message_bytes: usize) -> (anyhow::Result<()>, Recorder) {
    let mut recorder = Recorder::default();
    let mut connection = Connection::new(max_message_bytes);
    connection.backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
    let ended = connection.listen(client, &mut recorder).await;
    (ended, recorder)
}

fn message(id: &str, data: &str) -> Message {
    Message::default().id(id).data(data)
}

const STREAM: &str = ": hello\n\nid: 1\r\ndata: {\"é\":1}\r\n\r\nid:2\n\nid: 3\ndata: {\ndata: }\n\nevent: error\nid: 4\ndata: no\n\n\
    id: 5\ndata: last\n\nid: 6\ndata: half";

fn in_pieces(stream: &[u8], size: usize) -> Vec<Vec<u8>> {
    stream.chunks(size).map(<[u8]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn messages_are_whole_however_their_bytes_come(size in 1..STREAM.len()) {
        let heard = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (_, client) = Host::start([in_pieces(STREAM.as_bytes(), size)]).await;
            let (ended, recorder) = record(&client, MAX_MESSAGE_BYTES).await;
            ended.unwrap();
            recorder.messages
        });
        prop_assert_eq!(heard, [
            message("1", "{\"é\":1}"),
            Message::default().id("2"),
            message("3", "{\n}"),
            message("4", "no").event("error"),
            message("5", "last"),
        ]);
    }
}

#[tokio::test]
async fn a_client_that_reconnects_sends_the_last_id() {
    let answers = [
        "id: 7\ndata: x\n\n",
        ": nothing new\n\n",
        "id: 9\n\ndata: without an id\n\nid: 10\ndata: half",
        "data: last\n\n",
    ];
    let (host, client) = Host::start(answers.map(|answer| vec![answer.as_bytes().to_vec()])).await;
    let (ended, recorder) = record(&client, MAX_MESSAGE_BYTES).await;
    ended.unwrap();
    let ids = [None, Some("7"), Some("7"), Some("9")].map(|id| id.map(str::to_owned));
    assert_eq!(*host.last_event_ids.lock().unwrap(), ids);
    let heard = [message("7", "x"), Message::default().id("9"), message("9", "without an id"), message("9", "last")];
    assert_eq!(recorder.messages, heard);
    assert_eq!(recorder.pauses.len(), 3);
}

#[tokio::test]
async fn the_reason_why_the_host_ends_the_stream_is_shown() {
    let failed = "id: 3\n\nevent: error\ndata: {\"detail\":\"Postgres is away\"}\n\n";
    let (_, client) = Host::start([failed, "data: last\n\n"].map(|answer| vec![answer.as_bytes().to_vec()])).await;
    let (ended, recorder) = record(&client, MAX_MESSAGE_BYTES).await;
    ended.unwrap();
    assert_eq!(recorder.messages, [Message::default().id("3"), message("3", "last")]);
    assert!(
        recorder.pauses[0].starts_with("the host ended the stream: Postgres is away; reconnecting in"),
        "{:?}",
        recorder.pauses
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_is_an_error_and_many_small_ones_are_not() {
    let small = || in_pieces("data: small\n\n".repeat(1000).as_bytes(), 100);
    for huge in ["data: ".to_owned() + &"x".repeat(5000), "data: x\n".repeat(1000), "nothing".repeat(1000)] {
        let answer = small().into_iter().chain(in_pieces(huge.as_bytes(), 100)).collect();
        let (host, client) = Host::start([answer]).await;
        let (ended, recorder) = record(&client, 4096).await;
        let error = ended.unwrap_err().to_string();
        assert_eq!(
            error,
            "the host sent a message of more than 4.00 KiB, the limit of --follow and --watch; read it without them"
        );
        assert_eq!(
            (recorder.messages.len(), recorder.pauses.len(), host.last_event_ids.lock().unwrap().len()),
            (1000, 0, 1)
        );
    }
}
