//! Requests that wait to be committed, each with the sender of its result.

use std::{sync::Arc, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use super::{Append, AppendError, Appended, Imported, Line, condition::LookedUp};

/// Resolves to the result of a request.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, AppendError>>;

/// A request of one kind: what to commit, since when it waits, and where its result is sent.
pub(super) struct Waiting<W, T> {
    pub(super) work: W,
    since: Instant,
    answer: oneshot::Sender<Result<T, AppendError>>,
}

/// Appends that are committed together or not at all, and under which condition.
#[derive(Debug)]
pub(super) struct Appends {
    /// Shared with the caller, who may have to ask again.
    pub(super) appends: Arc<[Append]>,
    pub(super) condition: Option<Box<LookedUp>>,
}

/// The result is the positions and versions of each append.
pub(super) type AppendRequest = Waiting<Appends, Vec<Appended>>;
/// Lines of an import, of which those are appended that are not in the log yet.
pub(super) type ImportRequest = Waiting<Vec<Line>, Imported>;

/// Asks whether appends can be made now.
pub(super) type CheckRequest = oneshot::Sender<Result<(), AppendError>>;

/// One request.
pub(super) enum Request {
    Append(AppendRequest),
    Import(ImportRequest),
    Check(CheckRequest),
}

/// Requests that are committed in one transaction, appends before imports. Requests that wait at the same time have no order: none
/// of their callers has an answer yet.
#[derive(Default)]
pub(super) struct Group {
    pub(super) appends: Vec<AppendRequest>,
    pub(super) imports: Vec<ImportRequest>,
    pub(super) checks: Vec<CheckRequest>,
}

impl<W, T> Waiting<W, T> {
    fn new(work: W) -> (Self, Answer<T>) {
        let (answer, answered) = oneshot::channel();
        (Self { work, since: Instant::now(), answer }, answered)
    }

    /// Answers the caller; ignores one that went away.
    fn answer(self, result: Result<T, AppendError>) {
        let _ = self.answer.send(result);
    }
}

impl Request {
    pub(super) fn append(appends: Arc<[Append]>, condition: Option<LookedUp>) -> (Self, Answer<Vec<Appended>>) {
        let (request, answer) = Waiting::new(Appends { appends, condition: condition.map(Box::new) });
        (Self::Append(request), answer)
    }

    pub(super) fn import(lines: Vec<Line>) -> (Self, Answer<Imported>) {
        let (request, answer) = Waiting::new(lines);
        (Self::Import(request), answer)
    }

    pub(super) fn check() -> (Self, Answer<()>) {
        let (request, answer) = oneshot::channel();
        (Self::Check(request), answer)
    }

    /// Answers the caller with an error.
    pub(super) fn fail(self, error: AppendError) {
        match self {
            Self::Append(request) => request.answer(Err(error)),
            Self::Import(request) => request.answer(Err(error)),
            Self::Check(request) => drop(request.send(Err(error))),
        }
    }

    /// Its events, with the names of its condition, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        match self {
            Self::Append(Waiting { work: Appends { appends, condition }, .. }) => {
                // Each name is looked up under the lock.
                let names = condition.as_ref().map_or(0, |condition| condition.query.names());
                appends
                    .iter()
                    .flat_map(|append| &append.events)
                    .fold((names, 0), |(events, bytes), event| (events + 1, bytes + event.bytes()))
            }
            Self::Import(request) => (request.work.len(), request.work.iter().map(|(_, event)| event.bytes()).sum()),
            Self::Check(_) => (0, 0),
        }
    }
}

impl Group {
    pub(super) fn of(request: Request) -> Self {
        let mut group = Self::default();
        group.push(request);
        group
    }

    pub(super) fn push(&mut self, request: Request) {
        match request {
            Request::Append(request) => self.appends.push(request),
            Request::Import(request) => self.imports.push(request),
            Request::Check(request) => self.checks.push(request),
        }
    }

    /// Its appends and imports.
    pub(super) fn len(&self) -> usize {
        self.appends.len() + self.imports.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn into_requests(self) -> impl Iterator<Item = Request> {
        let (appends, imports) = (self.appends.into_iter(), self.imports.into_iter());
        appends
            .map(Request::Append)
            .chain(imports.map(Request::Import))
            .chain(self.checks.into_iter().map(Request::Check))
    }

    /// Answers each request with its result; they are in the order of the requests.
    pub(super) fn answer(
        self,
        appended: Vec<Result<Vec<Appended>, AppendError>>,
        imported: Vec<Result<Imported, AppendError>>,
    ) {
        for (request, result) in self.appends.into_iter().zip(appended) {
            request.answer(result);
        }
        for (request, result) in self.imports.into_iter().zip(imported) {
            request.answer(result);
        }
        for request in self.checks {
            let _ = request.send(Ok(()));
        }
    }

    /// Takes out the checks.
    pub(super) fn take_checks(&mut self) -> impl Iterator<Item = Request> {
        std::mem::take(&mut self.checks).into_iter().map(Request::Check)
    }

    /// Takes out the requests that have waited for longer than `timeout`.
    pub(super) fn take_late(&mut self, timeout: Duration) -> Vec<Request> {
        let appends = self.appends.extract_if(.., |request| request.since.elapsed() > timeout).map(Request::Append);
        let imports = self.imports.extract_if(.., |request| request.since.elapsed() > timeout).map(Request::Import);
        appends.chain(imports).collect()
    }
}
