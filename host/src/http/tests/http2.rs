//! HTTP/2: what holds for connections holds for it as well, and for each of its streams.

use axum::http::{Response, Version};
use h2::{
    RecvStream,
    client::{ResponseFuture, SendRequest},
};
use tokio::{task::JoinHandle, time::timeout};

use super::{
    connections::{LONGEST, SHORT, unhurried},
    rows::{MANY, ReadModel},
    tls::SecureHost,
    *,
};

/// The window of a stream, in which answers of these tests are too large to fit.
const WINDOW: u32 = 10_000;

/// A connection of HTTP/2.
struct Http2 {
    send: SendRequest<Bytes>,
    /// Ends with the connection.
    driving: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    async fn connect(host: &SecureHost) -> Self {
        let stream = host.connect("h2").await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(WINDOW);
        let (send, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
        Self { send, driving: tokio::spawn(connection) }
    }

    async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        ends: bool,
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        let mut request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut send = self.send.clone().ready().await.unwrap();
        send.send_request(request.body(()).unwrap(), ends).unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<RecvStream> {
        let (response, _) = self.request("GET", path, headers, true).await;
        timeout(LONGEST, response).await.expect("an answer in time").unwrap()
    }

    /// The status and the whole body.
    async fn read(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Vec<u8>) {
        let response = self.get(path, headers).await;
        assert_eq!(response.version(), Version::HTTP_2);
        let (head, body) = response.into_parts();
        (head.status, read(body).await)
    }

    /// Waits until the host has ended it.
    async fn ended(self) {
        // This side keeps it open as long as it may send requests.
        let driving = self.driving;
        let _ = timeout(LONGEST, driving).await.expect("the host ends the connection");
        drop(self.send);
    }
}

async fn read(mut body: RecvStream) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(piece) = timeout(LONGEST, body.data()).await.expect("more of the body in time") {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        read.extend_from_slice(&piece);
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_a_connection_and_their_number_is_bounded() {
    let api = TestApi::start().await;
    let host = SecureHost::open(&api, HttpSettings { connections: unhurried(), ..HttpSettings::default() }).await;
    let http2 = Http2::connect(&host).await;
    // Larger than the window, and than the pieces in which it is sent.
    let (status, script) = http2.read("/docs/rapidoc.js", &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(script, api.get("/docs/rapidoc.js").await.body);

    // While one follows, others are answered, and it gets what they append.
    let follower = http2.get("/v1/events", &[("accept", "text/event-stream")]).await;
    assert_eq!(follower.headers()["content-type"], "text/event-stream");
    let (appended, mut body) =
        http2.request("POST", "/v1/streams/a-1/events", &[("content-type", "application/json")], false).await;
    body.send_data(r#"{"events": [{"type": "Opened", "data": 1}]}"#.into(), true).unwrap();
    assert_eq!(timeout(LONGEST, appended).await.unwrap().unwrap().status(), StatusCode::CREATED);
    let (mut body, mut text) = (follower.into_body(), String::new());
    while !text.contains("Opened") {
        let piece = timeout(LONGEST, body.data()).await.expect("the event in time").unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }

    // A page of the host's own origin may change something, also where there is no header `Host`.
    for (origin, status) in [("https://localhost", 201), ("https://evil.example", 403)] {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        let (answer, mut body) = http2.request("POST", "/v1/streams/b-1/events", &headers, false).await;
        body.send_data(r#"{"events": [{"type": "A", "data": 1}]}"#.into(), true).unwrap();
        assert_eq!(timeout(LONGEST, answer).await.unwrap().unwrap().status(), status, "{origin}");
    }

    let mut followers = Vec::new();
    for _ in 1..MAX_CONCURRENT_STREAMS {
        followers.push(http2.get("/v1/events", &[("accept", "text/event-stream")]).await);
    }
    // One more waits in the client until another one ends.
    let more = http2.send.clone().ready().await.unwrap();
    let waits = tokio::spawn(async move {
        let mut more = more;
        let request = Request::get("https://localhost/health/live").body(()).unwrap();
        let (response, _) = more.send_request(request, true).unwrap();
        response.await.unwrap().status()
    });
    drop(body);
    assert_eq!(timeout(LONGEST, waits).await.unwrap().unwrap(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused_and_costs_others_nothing() {
    let host = SecureHost::starting(unhurried()).await;
    let http2 = Http2::connect(&host).await;
    let large = "a".repeat(CONNECTION_BUFFER_BYTES as usize + 1);
    let (answer, _) = http2.request("GET", "/health/live", &[("large", &large)], true).await;
    if let Ok(answer) = timeout(LONGEST, answer).await.unwrap() {
        assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    assert_eq!(Http2::connect(&host).await.read("/health/live", &[]).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_end_by_themselves_and_make_room() {
    let host = SecureHost::starting(ConnectionSettings { idle_timeout: SHORT, ..unhurried() }).await;
    let (nothing, http2) = (Http2::connect(&host).await, Http2::connect(&host).await);
    assert_eq!(http2.read("/health/live", &[]).await.0, StatusCode::OK);
    nothing.ended().await;
    http2.ended().await;

    let host = SecureHost::starting(ConnectionSettings { max_client_connections: 2, ..unhurried() }).await;
    let first = Http2::connect(&host).await;
    assert_eq!(first.read("/health/live", &[]).await.0, StatusCode::OK);
    for _ in 0..5 {
        assert_eq!(Http2::connect(&host).await.read("/health/live", &[]).await.0, StatusCode::OK);
    }
    first.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_connections_are_busy_newcomers_are_told() {
    let api = TestApi::start().await;
    let connections = ConnectionSettings { max_client_connections: 1, ..unhurried() };
    let host = SecureHost::open(&api, HttpSettings { connections, ..HttpSettings::default() }).await;
    let busy = Http2::connect(&host).await;
    let _follower = busy.get("/v1/events", &[("accept", "text/event-stream")]).await;
    let newcomer = Http2::connect(&host).await;
    let (status, body) = newcomer.read("/v1/events", &[]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(String::from_utf8_lossy(&body).contains("max_client_connections"));
    newcomer.ended().await;
}

/// Over HTTP/1.1 such a client stops its connection. Here the others that share it go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_read_is_given_up_and_the_others_go_on() {
    let api = TestApi::start().await;
    // Long enough for answers to pings, which the same time bounds, on a machine that is busy.
    let write_timeout = std::time::Duration::from_secs(3);
    let connections = ConnectionSettings { write_timeout, ..unhurried() };
    let host = SecureHost::open(&api, HttpSettings { connections, ..HttpSettings::default() }).await;
    let http2 = Http2::connect(&host).await;
    let mut stalled = http2.get("/docs/rapidoc.js", &[]).await.into_body();
    let mut follower = http2.get("/v1/events", &[("accept", "text/event-stream")]).await.into_body();
    let mut read = 0;
    let error = loop {
        // What comes is taken, and the window is never opened for more.
        match timeout(LONGEST, stalled.data()).await.expect("the host gives it up").expect("it does not end") {
            Ok(piece) => read += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((error.reason(), read), (Some(h2::Reason::CANCEL), WINDOW as usize));
    assert_eq!(http2.read("/health/live", &[]).await.0, StatusCode::OK);
    // A follower that nothing is sent to is not late.
    api.append("a-1", json!({"events": [{"type": "Opened", "data": 1}]})).await;
    let mut text = String::new();
    while !text.contains("Opened") {
        let piece = timeout(LONGEST, follower.data()).await.expect("the event in time").unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_comes_whole() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    let host = SecureHost::open(&api, HttpSettings { connections: unhurried(), ..HttpSettings::default() }).await;
    let http2 = Http2::connect(&host).await;
    let accept = [("accept", "application/vnd.apache.parquet")];
    let (status, file) = http2.read("/v1/read-models/totals/sums?order=id", &accept).await;
    assert_eq!(status, StatusCode::OK);
    let file = Bytes::from(file);
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_waited_for_up_to_a_limit() {
    let api = TestApi::start().await;
    let work = WorkSettings { body_timeout: SHORT, ..WorkSettings::default() };
    let settings = HttpSettings { connections: unhurried(), work, ..HttpSettings::default() };
    let host = SecureHost::open(&api, settings).await;
    let http2 = Http2::connect(&host).await;
    let (answer, mut body) =
        http2.request("POST", "/v1/streams/a-1/events", &[("content-type", "application/json")], false).await;
    body.send_data("{".into(), false).unwrap();
    let answer = timeout(LONGEST, answer).await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_closes_answers_what_is_under_way_and_cuts_what_does_not_end() {
    let api = TestApi::start().await;
    let start = async |closing_timeout| {
        let connections = ConnectionSettings { closing_timeout, ..unhurried() };
        SecureHost::open(&api, HttpSettings { connections, ..HttpSettings::default() }).await
    };
    let host = start(LONGEST).await;
    let (idle, http2) = (Http2::connect(&host).await, Http2::connect(&host).await);
    assert_eq!(idle.read("/health/live", &[]).await.0, StatusCode::OK);
    let (answer, mut body) =
        http2.request("POST", "/v1/streams/a-1/events", &[("content-type", "application/json")], false).await;
    // The host has its head when this is answered.
    assert_eq!(http2.read("/health/live", &[]).await.0, StatusCode::OK);
    host.listening.closing.cancel();
    idle.ended().await;
    body.send_data(r#"{"events": [{"type": "A", "data": 1}]}"#.into(), true).unwrap();
    assert_eq!(timeout(LONGEST, answer).await.unwrap().unwrap().status(), StatusCode::CREATED);
    http2.ended().await;
    timeout(LONGEST, host.listening.serving).await.expect("nothing is waited for").unwrap();

    let host = start(SHORT).await;
    let http2 = Http2::connect(&host).await;
    let _follower = http2.get("/v1/events", &[("accept", "text/event-stream")]).await;
    host.listening.closing.cancel();
    timeout(LONGEST, host.listening.serving).await.expect("a follower ends with its connection").unwrap();
    http2.ended().await;
}
