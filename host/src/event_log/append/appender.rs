//! Who commits: the task of the request that finds nothing under way, or else a task of its own.
//!
//! The one [`Committer`] rests here while nothing is committed. A request is put into the queue, and whoever finds the committer at rest takes it, and
//! commits the group that waits. So a lone append goes from its connection to Postgres and back in one task: no other has to be woken, which
//! costs a system call, and mostly another thread. What came meanwhile is committed by a task that ends when nothing waits any more.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use sqlx::PgPool;
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    Append, AppendError, Appended, Imported, Line,
    condition::LookedUp,
    elsewhere::AppendedElsewhere,
    group::Committer,
    request::{Answer, Request},
};
use crate::event_log::{head::KnownHead, other_hosts::OtherHosts, settings::EventLogSettings};

/// Requests that may wait in the queue; one more is refused.
const QUEUE: usize = 4096;

/// Takes requests, and sees to it that they are committed. Clones are handles on one.
#[derive(Clone, Debug)]
pub(in crate::event_log) struct Appender(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: mpsc::Sender<Request>,
    /// The committer, while nothing is committed.
    at_rest: Mutex<Option<Box<Committer>>>,
}

impl Appender {
    /// Opens the connection. Each commit raises `head` to its position; a request fails once it has waited for the timeout of the settings.
    pub(in crate::event_log) async fn start(
        pool: PgPool,
        head: KnownHead,
        other_hosts: OtherHosts,
        elsewhere: AppendedElsewhere,
        settings: EventLogSettings,
    ) -> Result<Self, sqlx::Error> {
        let (requests, incoming) = mpsc::channel(QUEUE);
        let committer = Committer::connected(pool, incoming, head, other_hosts, elsewhere, settings).await?;
        Ok(Self(Arc::new(Shared { requests, at_rest: Mutex::new(Some(Box::new(committer))) })))
    }

    /// Checks that appends can be made: their connection lives, or a new one can be opened.
    pub(in crate::event_log) async fn check(&self) -> Result<(), AppendError> {
        self.ask(Request::check()).await
    }

    /// Commits appends, together or not at all.
    pub(in crate::event_log) async fn append(
        &self,
        appends: Arc<[Append]>,
        condition: Option<LookedUp>,
    ) -> Result<Vec<Appended>, AppendError> {
        self.ask(Request::append(appends, condition)).await
    }

    /// Commits the lines that are not in the log yet, together or not at all.
    pub(in crate::event_log) async fn import(&self, lines: Vec<Line>) -> Result<Imported, AppendError> {
        self.ask(Request::import(lines)).await
    }

    /// How many requests wait until a group takes them.
    pub(in crate::event_log) fn waiting(&self) -> usize {
        self.0.waiting()
    }

    async fn ask<T>(&self, (request, answer): (Request, Answer<T>)) -> Result<T, AppendError> {
        self.0.send(request)?;
        if let Some(committer) = self.0.take() {
            if committer.expects_others() {
                // Those who were answered together ask again together: one who is early would commit alone, and keep the others waiting.
                tokio::spawn(commit_all(Arc::clone(&self.0), committer));
            } else {
                Turn::begin(Arc::clone(&self.0), committer).await;
            }
        }
        answer.await.map_err(|_| stopped())?
    }
}

impl Shared {
    fn waiting(&self) -> usize {
        self.requests.max_capacity() - self.requests.capacity()
    }

    fn send(&self, request: Request) -> Result<(), AppendError> {
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                AppendError::Unavailable(format!("{QUEUE} appends wait already, as many as a host keeps"))
            }
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })
    }

    /// The committer, if it is at rest.
    fn take(&self) -> Option<Box<Committer>> {
        self.at_rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets the committer rest. Returns it again if something waits.
    fn rest(&self, committer: Box<Committer>) -> Option<Box<Committer>> {
        if committer.has_left_some() {
            return Some(committer);
        }
        *self.at_rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(committer);
        // Who sent before this found nobody at rest, and waits. Who sends after it finds the committer.
        if self.waiting() > 0 { self.take() } else { None }
    }
}

/// Commits all that waits, group after group.
async fn commit_all(shared: Arc<Shared>, mut committer: Box<Committer>) {
    loop {
        // So that those come in who are about to.
        tokio::task::yield_now().await;
        committer.commit_waiting().await;
        match shared.rest(committer) {
            Some(next) => committer = next,
            None => return,
        }
    }
}

/// A group that is committed by the task of one of its requests. If that is dropped, since its client has left, the group is committed all the same.
struct Turn {
    shared: Arc<Shared>,
    /// `None` once it is committed.
    work: Option<Pin<Box<dyn Future<Output = Box<Committer>> + Send>>>,
}

impl Turn {
    fn begin(shared: Arc<Shared>, mut committer: Box<Committer>) -> Self {
        let work = async move {
            committer.commit_waiting().await;
            committer
        };
        Self { shared, work: Some(Box::pin(work)) }
    }
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.work {
            let committer = ready!(work.as_mut().poll(context));
            self.work = None;
            if let Some(committer) = self.shared.rest(committer) {
                tokio::spawn(commit_all(Arc::clone(&self.shared), committer));
            }
        }
        Poll::Ready(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // After a panic there is nothing to go on with: whoever waits learns that, and so does who comes.
        let Some(work) = self.work.take().filter(|_| !std::thread::panicking()) else { return };
        // While the runtime stops, its connection is closed without it.
        if let Ok(runtime) = Handle::try_current() {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                if let Some(committer) = shared.rest(work.await) {
                    commit_all(shared, committer).await;
                }
            });
        }
    }
}

fn stopped() -> AppendError {
    AppendError::Unavailable("the host is shutting down".to_owned())
}
