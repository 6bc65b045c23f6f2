//! Clients that are slow, silent or many, on real sockets. What ends them is a small setting; the tests wait for the end, and a host that
//! does not end them is found by [`LONGEST`].

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use super::*;
use crate::access::AccessSettings;

/// Nothing here takes as long, unless it never ends.
pub(super) const LONGEST: Duration = Duration::from_secs(30);
/// A bound that a test is about.
pub(super) const SHORT: Duration = Duration::from_millis(200);
/// A bound that a test is not about.
const LONG: Duration = Duration::from_secs(3600);

pub(super) fn unhurried() -> ConnectionSettings {
    ConnectionSettings { max_client_connections: 100, idle_timeout: LONG, write_timeout: LONG, closing_timeout: SHORT }
}

pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) closing: CancellationToken,
    pub(super) serving: JoinHandle<()>,
}

impl Listening {
    async fn start(gate: Gate, settings: ConnectionSettings) -> Self {
        Self::start_with(None, gate, settings).await
    }

    pub(super) async fn start_with(tls: Option<Tls>, gate: Gate, settings: ConnectionSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, closing) = (listener.local_addr().unwrap(), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, tls, Way::Gate(gate), settings, closing.clone()));
        Self { address, closing, serving }
    }

    /// A host that has no database yet: it answers `/health/live`.
    async fn starting(settings: ConnectionSettings) -> Self {
        Self::start(Gate::closed("a test"), settings).await
    }

    async fn open(api: &TestApi, settings: HttpSettings) -> Self {
        let gate = Gate::closed("a test");
        let connections = settings.connections.clone();
        gate.open(api.host.api(settings, api.closing.clone()));
        Self::start(gate, connections).await
    }

    /// A connection on which `text` was sent.
    pub(super) async fn connect(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The answer to a request on a connection of its own; empty if the host cuts it.
    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect(request).await;
        read_to_end(&mut stream).await
    }
}

/// What comes until the host closes the connection.
pub(super) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    // A connection that is cut while something comes is reset, which is an end as well.
    let _ = timeout(LONGEST, stream.read_to_end(&mut read)).await.expect("the host closes the connection");
    String::from_utf8(read).unwrap()
}

/// Reads until `text` has come.
async fn read_until(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    let found = async {
        while !String::from_utf8_lossy(&read).contains(text) {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "{}", String::from_utf8_lossy(&read));
        }
    };
    timeout(LONGEST, found).await.expect("it comes");
}

const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
const LIVE_ONCE: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_and_an_idle_connection_end_by_themselves() {
    let host = Listening::starting(ConnectionSettings { idle_timeout: SHORT, ..unhurried() }).await;
    let mut nothing = host.connect("").await;
    let mut half = host.connect("GET /health/live HTTP/1.1\r\nhost: loc").await;
    let mut idle = host.connect(LIVE).await;
    assert_eq!(read_to_end(&mut nothing).await, "");
    assert_eq!(read_to_end(&mut half).await, "");
    assert!(read_to_end(&mut idle).await.starts_with("HTTP/1.1 200"), "it was answered before");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_new_ones() {
    let host = Listening::starting(ConnectionSettings { max_client_connections: 4, ..unhurried() }).await;
    let mut kept = Vec::new();
    for text in ["", "GET /health/live HTTP/1.1\r\nhost: loc", LIVE, ""] {
        kept.push(host.connect(text).await);
    }
    for _ in 0..20 {
        let answer = host.ask(LIVE_ONCE).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        kept.push(host.connect("").await);
    }
    assert_eq!(read_to_end(&mut kept[0]).await, "", "the first was idle for longest");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_connections_are_busy_a_newcomer_needs_what_it_always_needs() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let settings = HttpSettings {
        connections: ConnectionSettings { max_client_connections: 1, ..unhurried() },
        ..HttpSettings::default()
    };
    let host = Listening::open(&api, settings).await;
    let token = api.token(&["read:events", "operate"]).await;
    let with = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n");
    let mut follower = host.connect(&format!("{}accept: text/event-stream\r\n\r\n", with("/v1/events"))).await;
    read_until(&mut follower, "200 OK").await;
    for path in ["/health/live", "/health/ready"] {
        let answer = host.ask(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let refused = host.ask("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let shown = host.ask(&format!("{}\r\n", with("/metrics"))).await;
    assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_connections_are_busy_newcomers_are_told_and_health_is_answered() {
    let api = TestApi::start().await;
    let settings = HttpSettings {
        connections: ConnectionSettings { max_client_connections: 2, ..unhurried() },
        ..HttpSettings::default()
    };
    let host = Listening::open(&api, settings).await;
    let follow = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";
    let mut followers = Vec::new();
    for _ in 0..2 {
        let mut follower = host.connect(follow).await;
        read_until(&mut follower, "200 OK").await;
        followers.push(follower);
    }
    // Without `connection: close`: the host closes it.
    let read = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let refused = host.ask(read).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    assert!(refused.contains(r#""code":"overloaded""#) && refused.contains("max_client_connections"), "{refused}");
    for path in ["/health/live", "/health/ready"] {
        let answer = host.ask(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    followers.pop();
    let once = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    test_support::until("the host has room again", async || host.ask(once).await.starts_with("HTTP/1.1 200")).await;
    // A follower that the host does not stop is cut at the end of its time.
    host.closing.cancel();
    timeout(LONGEST, host.serving).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_its_answers_is_cut() {
    let api = TestApi::start().await;
    let connections = ConnectionSettings { max_client_connections: 1, write_timeout: SHORT, ..unhurried() };
    let host = Listening::open(&api, HttpSettings { connections, ..HttpSettings::default() }).await;
    // Buffers of the kernel are kept small, so that few answers fill them.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(host.address).await.unwrap();
    let script = "GET /docs/rapidoc.js HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(script.repeat(40).as_bytes()).await.unwrap();
    let read = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    test_support::until("the host has room again", async || host.ask(read).await.starts_with("HTTP/1.1 200")).await;
}

fn post(length: usize, body: &str) -> String {
    format!(
        "POST /v1/streams/a-1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_waited_for_up_to_a_limit_and_all_together_take_bounded_memory() {
    let api = TestApi::start().await;
    let settings = |body_timeout, request_timeout| HttpSettings {
        max_body_bytes: 150_000,
        max_bodies_bytes: 1,
        connections: unhurried(),
        work: WorkSettings { body_timeout, request_timeout, ..WorkSettings::default() },
        ..HttpSettings::default()
    };
    for (body_timeout, request_timeout, limit) in [(SHORT, LONG, "body_timeout"), (LONG, SHORT, "request_timeout")] {
        let host = Listening::open(&api, settings(body_timeout, request_timeout)).await;
        let answer = host.ask(&post(100, "{")).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains(r#""code":"body_timeout""#), "{answer}");
        assert!(answer.contains(&format!(r#""limit":"{limit}""#)), "{answer}");
    }

    // There is room for one body of the largest size.
    let host = Listening::open(&api, settings(LONG, LONG)).await;
    let half = " ".repeat(100_000);
    let whole = post(100_000, &half);
    let (mut held, mut answer) = (None, String::new());
    test_support::until("the first body takes its memory", async || {
        // If the second one was faster, it had room, and the first one is refused.
        drop(held.take());
        held = Some(host.connect(&post(140_000, &half)).await);
        answer = host.ask(&whole).await;
        answer.starts_with("HTTP/1.1 503")
    })
    .await;
    assert!(answer.contains(r#""code":"overloaded""#) && answer.contains("max_bodies_bytes"), "{answer}");
    let small = host.ask(&post(2, "{}")).await;
    assert!(small.starts_with("HTTP/1.1 422"), "small ones still fit: {small}");
    drop(held);
    test_support::until("its memory is free", async || host.ask(&whole).await.starts_with("HTTP/1.1 400")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_closes_answers_what_is_under_way_and_waits_for_nothing_else() {
    let api = TestApi::start().await;
    let connections = ConnectionSettings { closing_timeout: LONG, ..unhurried() };
    let host = Listening::open(&api, HttpSettings { connections, ..HttpSettings::default() }).await;
    let _half = host.connect("GET /health/live HTTP/1.1\r\nhost: loc").await;
    let mut idle = host.connect(LIVE).await;
    read_until(&mut idle, "live").await;
    let body = r#"{"events": [{"type": "A", "data": 1}]}"#;
    let mut expecting = host
        .connect(
            "POST /v1/streams/b-1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 38\r\n\
             expect: 100-continue\r\n\r\n",
        )
        .await;
    read_until(&mut expecting, "100 Continue").await;
    host.closing.cancel();
    assert_eq!(read_to_end(&mut idle).await, "");
    expecting.write_all(body.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut expecting).await;
    assert!(answer.contains("HTTP/1.1 201") && answer.contains("connection: close"), "{answer}");
    timeout(LONGEST, host.serving).await.expect("the half head is not waited for").unwrap();
}
