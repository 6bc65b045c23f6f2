//! Answering the requests of one connection, by HTTP/1.1 or HTTP/2.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use futures_util::FutureExt as _;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{
    connections::{Connection, Told},
    http2_streams::{Pieces, Streams},
    peer::Peer,
    settings::ConnectionSettings,
    way::Entrance,
    with_guard::WithGuard,
};

/// How long a connection without a request may take to end when it is told to.
const END_TIMEOUT: Duration = Duration::from_millis(200);
/// The buffers of a connection: the head of a request has to fit, and an answer that the client does not take stops here. It is what an idle
/// client can make the host hold.
pub const CONNECTION_BUFFER_BYTES: u32 = 128 * 1024;
/// Requests under way on one connection of HTTP/2.
pub const MAX_CONCURRENT_STREAMS: u32 = 128;
/// What a client of HTTP/2 may send of bodies before the host has read it: of one, and of all on its connection.
pub const WINDOW_BYTES: u32 = 256 * 1024;

/// What requests are answered by.
#[derive(Clone, Debug)]
pub(super) enum Answers {
    /// The API.
    Api(Entrance),
    /// That there is no room.
    Refusal(Router),
}

impl Answers {
    async fn answer(self, request: Request) -> Response {
        match self {
            Self::Api(entrance) => entrance.answer(request).await,
            Self::Refusal(router) => router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {}),
        }
    }
}

/// The versions of HTTP, with their bounds.
#[derive(Clone, Debug)]
pub(super) struct Protocols {
    http1: http1::Builder,
    idle_timeout: Duration,
    write_timeout: Duration,
    /// Where the requests of HTTP/2 run.
    tasks: TaskTracker,
}

impl Protocols {
    pub(super) fn new(settings: &ConnectionSettings, tasks: TaskTracker) -> Self {
        let mut http1 = http1::Builder::new();
        // It runs from the end of the last answer on, so it is the time for which a connection may be idle as well.
        http1.timer(TokioTimer::new()).header_read_timeout(settings.idle_timeout);
        http1.max_buf_size(CONNECTION_BUFFER_BYTES as usize);
        Self { http1, idle_timeout: settings.idle_timeout, write_timeout: settings.write_timeout, tasks }
    }

    /// The same for connections that get one answer, within a time.
    pub(super) fn once(&self, within: Duration) -> Self {
        let mut once = self.clone();
        once.http1.keep_alive(false).header_read_timeout(within);
        // After its answer it is idle; HTTP/2 has no other way to say that there will not be another one.
        once.idle_timeout = within / 4;
        once
    }

    /// Answers the requests of a connection until it ends.
    pub(super) async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        peer: SocketAddr,
        is_http2: bool,
        connection: &Connection,
        answers: &Answers,
    ) {
        let stream = TokioIo::new(stream);
        if !is_http2 {
            let answer = service_fn(|request: hyper::Request<Incoming>| {
                let (under_way, answers) = (connection.request(), answers.clone());
                let answer = answers.answer(come_from(peer, request));
                async move { Ok::<_, Infallible>(answer.await.map(|body| WithGuard::new(body, under_way))) }
            });
            return drive(self.http1.serve_connection(stream, answer), connection, None).await;
        }
        let ended = CancellationToken::new();
        // However it ends: no request outlives its connection.
        let _ends = ended.clone().drop_guard();
        let answer = service_fn(|request: hyper::Request<Incoming>| {
            let (under_way, answers) = (connection.request(), answers.clone());
            let answer = answers.answer(come_from(peer, request));
            async move { Ok::<_, Infallible>(answer.await.map(|body| Pieces::new(WithGuard::new(body, under_way)))) }
        });
        let http2 = self.http2(Streams::new(self.tasks.clone(), ended, self.write_timeout));
        drive(http2.serve_connection(stream, answer), connection, Some(self.idle_timeout)).await;
    }

    fn http2(&self, streams: Streams) -> http2::Builder<Streams> {
        let mut http2 = http2::Builder::new(streams);
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .max_header_list_size(CONNECTION_BUFFER_BYTES)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_send_buf_size(CONNECTION_BUFFER_BYTES as usize)
            // A client that is gone without a word is noticed also while nothing is to be sent to it.
            .keep_alive_interval(self.write_timeout)
            .keep_alive_timeout(self.write_timeout);
        http2
    }
}

/// A request, with where it comes from.
fn come_from(peer: SocketAddr, request: hyper::Request<Incoming>) -> Request {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    request
}

/// Lets a connection work until it ends, is told to end, or has been without a request for too long.
async fn drive(served: impl GracefulConnection, connection: &Connection, idle_timeout: Option<Duration>) {
    let mut served = std::pin::pin!(served);
    let idle = async {
        match idle_timeout {
            Some(time) => connection.idle_for(time).await,
            // HTTP/1.1 sees to it by itself.
            None => std::future::pending().await,
        }
    };
    let mut idle = std::pin::pin!(idle.fuse());
    loop {
        let told = tokio::select! {
            biased;
            // How it ended concerns the client only.
            _ = served.as_mut() => return,
            told = connection.told() => told,
            () = idle.as_mut() => Told::End,
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
