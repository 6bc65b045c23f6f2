//! Serving the API on a socket, to no more clients than the host has room for, none of which can hold a connection for ever.
//!
//! When every connection is taken, the one that is idle for longest makes room. If all are busy, a newcomer is answered 503 and its
//! connection closed: it learns at once that it has to come again, which it would not if it waited in the kernel's queue. Health is answered
//! even then.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    answering::{Answers, Protocols},
    connections::{Connection, Connections, Told},
    settings::ConnectionSettings,
    tls::{HTTP2, Tls},
    way::Way,
    write_timeout::WriteTimeout,
};
use crate::metrics;

/// Connections beyond those that the host serves, to be told so.
pub const MAX_REFUSED: usize = 64;
/// How long such a connection is open, at most.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a newcomer waits for an idle connection to make room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a client may take to agree upon TLS, a handful of messages.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the listener rests when the system gives it no connection, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Between two lines of the log on refused connections.
const LOG_PAUSE: Duration = Duration::from_secs(1);

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered, or until the time for that is over.
/// Before a gate is open, requests are answered with what the host waits for. With `tls`, connections speak TLS and nothing else.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    way: Way,
    settings: ConnectionSettings,
    closing: CancellationToken,
) {
    let closing_timeout = settings.closing_timeout;
    let tasks = TaskTracker::new();
    let server = Arc::new(Server::new(&way, tls.as_ref(), settings, &tasks));
    if let Some(tls) = tls {
        let closing = closing.clone();
        tasks.spawn(async move { closing.run_until_cancelled(tls.follow_files()).await });
    }
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
    api: Answers,
    refusal: Answers,
    protocols: Protocols,
    /// Of connections that are told that there is no room.
    once: Protocols,
    tls: Option<TlsAcceptor>,
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
    fn new(way: &Way, tls: Option<&Tls>, settings: ConnectionSettings, tasks: &TaskTracker) -> Self {
        let protocols = Protocols::new(&settings, tasks.clone());
        Self {
            api: Answers::Api(way.entrance()),
            refusal: Answers::Refusal(way.refusal(settings.max_client_connections)),
            once: protocols.once(REFUSED_TIMEOUT),
            protocols,
            tls: tls.map(Tls::acceptor),
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
                // From here on it is one of those that make room when they are idle, as it is until TLS is agreed upon.
                let connection = self.connections.opened();
                self.answer(stream, peer, &connection, &self.protocols, &self.api).await;
            }
            None => {
                self.log_refusal(peer);
                let connection = self.refused.opened();
                let refused = self.answer(stream, peer, &connection, &self.once, &self.refusal);
                let _ = timeout(REFUSED_TIMEOUT, refused).await;
            }
        }
    }

    /// Answers what comes on a connection, with TLS if the host has it.
    async fn answer(
        &self,
        stream: WriteTimeout,
        peer: SocketAddr,
        connection: &Connection,
        protocols: &Protocols,
        answers: &Answers,
    ) {
        let Some(tls) = &self.tls else { return protocols.serve(stream, peer, false, connection, answers).await };
        let handshake = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
        // It has nothing that would be lost, so whatever it is told ends it.
        let agreed = tokio::select! {
            agreed = handshake => agreed,
            _ = connection.told() => return,
        };
        match agreed {
            Ok(Ok(stream)) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
                protocols.serve(stream, peer, is_http2, connection, answers).await;
            }
            failed => {
                metrics::of_host().http.failed_handshake();
                // Anybody can cause it, so it is no line of a log that somebody reads.
                match failed {
                    Ok(Err(error)) => debug!(%error, "a client and this host do not agree upon TLS"),
                    _ => debug!("a client did not agree upon TLS in time"),
                }
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
