//! Serving the API on a socket, to no more clients than the host has room for, none of which can hold a connection for ever.
//!
//! When every connection is taken, the one that is idle for longest makes room. If all are busy, a newcomer is answered 503 and its
//! connection closed: it learns at once that it has to come again, which it would not if it waited in the kernel's queue. Health is answered
//! even then.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;
use tracing::warn;

use super::{
    connections::{Connection, Connections, Told},
    gate::{Entrance, Gate},
    settings::ConnectionSettings,
    with_guard::WithGuard,
    write_timeout::WriteTimeout,
};
use crate::metrics;

/// Connections beyond those that the host serves, to be told so.
pub const MAX_REFUSED: usize = 64;
/// How long such a connection is open, at most.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a newcomer waits for an idle connection to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection without a request may take to end when it is told to.
const END_TIMEOUT: Duration = Duration::from_millis(200);
/// How long the listener rests when the system gives it no connection, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Between two lines of the log on refused connections.
const LOG_PAUSE: Duration = Duration::from_secs(1);
/// The buffers of a connection: the head of a request has to fit, and an answer that the client does not take stops here. It is what an idle
/// client can make the host hold.
const BUFFER_BYTES: usize = 128 * 1024;

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered, or until the time for that is over.
/// Before the gate is open, requests are answered with what the host waits for.
pub async fn serve(listener: TcpListener, gate: Gate, settings: ConnectionSettings, closing: CancellationToken) {
    let closing_timeout = settings.closing_timeout;
    let server = Arc::new(Server::new(&gate, settings));
    let tasks = TaskTracker::new();
    while let Some(refusable) = closing.run_until_cancelled(Arc::clone(&server.refusing).acquire_owned()).await {
        // The semaphore is never closed.
        let Ok(refusable) = refusable else { break };
        match closing.run_until_cancelled(listener.accept()).await {
            Some(Ok((stream, peer))) => _ = tasks.spawn(Arc::clone(&server).connected(stream, peer, refusable)),
            Some(Err(error)) => server.rest_after(&error, &closing).await,
            None => break,
        }
    }
    drop(listener);
    server.tell_all(Told::End);
    tasks.close();
    if timeout(closing_timeout, tasks.wait()).await.is_err() {
        let left = server.tell_all(Told::Break);
        warn!("{left} connections had requests that were not answered in time; they are closed");
        tasks.wait().await;
    }
}

struct Server {
    entrance: Entrance,
    refusal: Router,
    http: http1::Builder,
    connections: Connections,
    /// Those that are told that there is no room.
    refused: Connections,
    room: Arc<Semaphore>,
    /// Held by connections that do not have room yet.
    refusing: Arc<Semaphore>,
    /// When a refusal was logged last. A line for each would fill the disk of a host that somebody floods.
    logged: Mutex<Option<Instant>>,
    settings: ConnectionSettings,
}

impl Server {
    fn new(gate: &Gate, settings: ConnectionSettings) -> Self {
        let mut http = http1::Builder::new();
        // It runs from the end of the last answer on, so it is the time for which a connection may be idle as well.
        http.timer(TokioTimer::new()).header_read_timeout(settings.idle_timeout).max_buf_size(BUFFER_BYTES);
        Self {
            entrance: gate.entrance(),
            refusal: gate.refusal(settings.max_client_connections),
            http,
            connections: Connections::default(),
            refused: Connections::default(),
            room: Arc::new(Semaphore::new(settings.max_client_connections)),
            refusing: Arc::new(Semaphore::new(MAX_REFUSED)),
            logged: Mutex::default(),
            settings,
        }
    }

    /// Tells every connection; returns how many there are.
    fn tell_all(&self, what: Told) -> usize {
        self.connections.tell_all(what) + self.refused.tell_all(what)
    }

    /// An error of one connection is that client's. Any other, mostly that the process has no file descriptor left, may last.
    async fn rest_after(&self, error: &io::Error, closing: &CancellationToken) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind()) {
            return;
        }
        let ended = self.connections.end_longest_idle();
        warn!(%error, an_idle_one_is_closed = ended, "no connection can be accepted");
        let _ = closing.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await;
    }

    /// Serves a new connection, or refuses it.
    async fn connected(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, refusable: OwnedSemaphorePermit) {
        // What the host writes is whole: an answer, or an event of one that follows. Nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let stream = WriteTimeout::new(stream, self.settings.write_timeout);
        match self.room().await {
            Some(_room) => {
                drop(refusable);
                let answer = |request| self.entrance.answer(request);
                serve_connection(stream, self.connections.opened(), &self.http, answer).await;
            }
            None => {
                self.log_refusal(peer);
                let mut http = self.http.clone();
                http.keep_alive(false).header_read_timeout(REFUSED_TIMEOUT);
                let answer = |request: Request| {
                    let answer = self.refusal.clone().call(request);
                    async move { answer.await.unwrap_or_else(|never: Infallible| match never {}) }
                };
                let refused = serve_connection(stream, self.refused.opened(), &http, answer);
                let _ = timeout(REFUSED_TIMEOUT, refused).await;
            }
        }
    }

    /// Room for a connection: free, or made by an idle one.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.room).try_acquire_owned();
        if let Ok(room) = free {
            return Some(room);
        }
        if !self.connections.end_longest_idle() {
            return None;
        }
        timeout(ROOM_TIMEOUT, Arc::clone(&self.room).acquire_owned()).await.ok()?.ok()
    }

    fn log_refusal(&self, peer: SocketAddr) {
        metrics::of_host().http.refused_connection();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|last| last.elapsed() > LOG_PAUSE) {
            *logged = Some(Instant::now());
            let max = self.settings.max_client_connections;
            warn!(%peer, "a connection is refused: all {max} are busy (--max-client-connections)");
        }
    }
}

/// Answers the requests of a connection until it ends.
async fn serve_connection<A: Future<Output = Response>>(
    stream: WriteTimeout,
    connection: Connection,
    http: &http1::Builder,
    api: impl Fn(Request) -> A,
) {
    let answer = |request: hyper::Request<Incoming>| {
        let under_way = connection.request();
        let answer = api(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await.map(|body| WithGuard::new(body, under_way))) }
    };
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
    loop {
        let told = tokio::select! {
            biased;
            // How it ended concerns the client only.
            _ = served.as_mut() => return,
            told = connection.told() => told,
        };
        if told == Told::Break {
            return;
        }
        served.as_mut().graceful_shutdown();
        if connection.is_idle() {
            // It has nothing to do, but half of a request's head may have come, which nobody waits for.
            let _ = timeout(END_TIMEOUT, served.as_mut()).await;
            return;
        }
    }
}
