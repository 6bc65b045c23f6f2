//! The positions of answers, and waiting for one.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::{refusal::ReadTableError, session::Session};
use crate::{
    event_log::Position,
    http::{
        prefer::Preferences,
        problem::{Code, Problem},
        state::Api,
    },
    queries::{Answer, AnswerTag, Export, ReadError, ReadRequest, Unchanged},
    read_model::{Identifier, columnar::Format},
};

/// Header of answers: they hold the effect of every event up to this position.
pub(super) const POSITION: HeaderName = HeaderName::from_static("gnomon-position");
/// Header of requests: the answer is to hold the effect of every event up to this position.
const MIN_POSITION: &str = "gnomon-min-position";
/// How long the host waits for that position if the client does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// What an answer must hold.
pub(super) struct Wanted {
    /// What the client has seen before.
    session: Session,
    /// What is read.
    projection: Identifier,
    /// The position that it names, or that its session has seen of the projection, whichever is later.
    position: Option<Position>,
    /// Until when it is willing to wait for that.
    until: Instant,
}

impl Wanted {
    /// Reads the headers.
    ///
    /// # Errors
    /// One of them is not what it should be.
    pub(super) fn of(
        api: &Api,
        projection: &Identifier,
        preferences: &Preferences,
        headers: &HeaderMap,
    ) -> Result<Self, ReadTableError> {
        let session = Session::of(headers).map_err(ReadTableError::Other)?;
        let position = min_position(headers)?.max(session.seen(projection));
        let until = Instant::now() + preferences.wait(DEFAULT_WAIT, api.settings.max_wait);
        Ok(Self { session, projection: projection.clone(), position, until })
    }

    /// Waits for the position.
    pub(super) async fn wait(&self, api: &Api) -> Result<(), ReadError> {
        match self.position {
            Some(position) => api.queries.wait_for(&self.projection, position, self.left()).await,
            None => Ok(()),
        }
    }

    /// Answers a request from rows that hold the position.
    pub(super) async fn read(&self, api: &Api, request: ReadRequest<'_>) -> Result<Answer, ReadError> {
        match self.position {
            Some(position) => api.queries.read_from(request, position, self.left()).await,
            None => api.queries.read(request).await,
        }
    }

    /// Begins to read all rows of a request, which hold the position.
    pub(super) async fn export(
        &self,
        api: &Api,
        request: ReadRequest<'_>,
        format: Format,
    ) -> Result<Export, ReadError> {
        match self.position {
            Some(position) => api.queries.export_from(request, format, position, self.left()).await,
            None => api.queries.export(request, format).await,
        }
    }

    /// Whether the client has the answer already, whose tag `is_known`, and it holds the position.
    pub(super) async fn unchanged(
        &self,
        api: &Api,
        request: &ReadRequest<'_>,
        is_known: impl Fn(AnswerTag) -> bool,
    ) -> Result<Option<Unchanged>, ReadError> {
        self.wait(api).await?;
        Ok(api.queries.unchanged(request, self.position.unwrap_or_default(), is_known).await)
    }

    /// The session that goes on after an answer of a position, as its header.
    pub(super) fn session_after(&self, answered: Position) -> Option<HeaderValue> {
        self.session.after(&self.projection, answered).header()
    }

    /// The session that the request continues, as its header; `None` if it continues none.
    pub(super) fn session_as_before(&self) -> Option<HeaderValue> {
        if self.session == Session::default() { None } else { self.session.header() }
    }

    /// Until when the client is willing to wait.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

fn min_position(headers: &HeaderMap) -> Result<Option<Position>, ReadTableError> {
    let Some(value) = headers.get(MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(|position| Some(Position(position))).ok_or_else(|| {
        let detail = format!("Gnomon-Min-Position must be a position of the log; it is {value:?}");
        ReadTableError::Other(Problem::new(Code::InvalidHeader, detail))
    })
}
