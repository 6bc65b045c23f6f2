//! Answers to queries: one that is kept, or else one that is read.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{
    Queries,
    body::AnswerBody,
    cache::{KeptAnswer, MAX_KEPT_ANSWER_BYTES},
    contents::Contents,
    error::ReadError,
    look::SeenBuild,
    origin::Origin,
    read::{Answer, RowsRead},
    request::ReadRequest,
    tag::AnswerTag,
};
use crate::{event_log::Position, metrics, read_model::Identifier};

/// How long a query waits until it may run.
pub(super) const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it waits to know whether a kept answer is right. After that the rows are read, perhaps by a connection that is not silent.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

/// The read model of somebody who has the answer already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The tag of the answer.
    pub tag: AnswerTag,
    /// The answer holds the effect of every event up to this position.
    pub position: Position,
    /// Where its rows come from.
    pub origin: Origin,
}

impl Queries {
    /// Whether the answer to a request is one that somebody has, whose tag `is_known`, without reading it, and holds the effect of every event
    /// up to `wanted`. `None` as well if Postgres does not tell in time: reading says why.
    pub async fn unchanged(
        &self,
        request: &ReadRequest<'_>,
        wanted: Position,
        is_known: impl Fn(AnswerTag) -> bool,
    ) -> Option<Unchanged> {
        let (_, build) = self.look(request.projection, request.limits.timeout.min(LOOK_TIMEOUT)).await?;
        let tag = AnswerTag::of(build.contents, request);
        (build.checkpoint >= wanted && is_known(tag)).then_some(Unchanged {
            tag,
            position: build.checkpoint,
            origin: build.origin,
        })
    }

    /// Answers a query from the active build. If it is dropped, the query ends in Postgres as well.
    ///
    /// # Errors
    /// There is nothing to read, the query is wrong or costs too much, or Postgres fails.
    pub async fn read(&self, request: ReadRequest<'_>) -> Result<Answer, ReadError> {
        let limit = request.limits.timeout;
        let turn = Instant::now() + limit.min(TURN_TIMEOUT);
        let Some(mut search) = self.cache.search(&request) else {
            return Ok(tagged(self.read_rows(request, turn).await?, &request));
        };
        let seen =
            if search.may_succeed() { self.look(request.projection, limit.min(LOOK_TIMEOUT)).await } else { None };
        if let Some((log, build)) = &seen
            && let Some(kept) = search.find(*log, build.contents).await
        {
            return kept_of(kept, (build.checkpoint, build.origin), &request).await;
        }
        metrics::of_host().queries.missed();
        let read = self.read_rows(request, turn).await?;
        let contents = read.contents;
        let answer = tagged(read, &request);
        if let Some(contents) = contents
            && answer.body.bytes() <= MAX_KEPT_ANSWER_BYTES
        {
            search.keep(seen.map(|(log, _)| log), kept(&answer, contents));
        }
        Ok(answer)
    }

    /// The log, and the active build as it is now. `None` if there is none, or if Postgres does not tell: reading says why.
    async fn look(&self, projection: &Identifier, longest: Duration) -> Option<(Uuid, SeenBuild)> {
        let mut waiter = self.looks.wait(projection);
        let seen = timeout(longest, waiter.next()).await.ok()??;
        Some((seen.log.id, seen.active.found()?))
    }
}

/// The answer that was kept, of the position and the origin that it has now: its rows are the same there.
pub(super) async fn kept_of(
    kept: KeptAnswer,
    (position, origin): (Position, Origin),
    request: &ReadRequest<'_>,
) -> Result<Answer, ReadError> {
    let KeptAnswer { contents, rows, offset, total, next, text } = kept;
    let body = AnswerBody::kept(&request.limits.budget, text).await?;
    let tag = Some(AnswerTag::of(contents, request));
    Ok(Answer { body, rows, offset, total, next, position, origin, tag })
}

/// The answer with the tag of the rows that it is of.
pub(super) fn tagged(RowsRead { answer, contents }: RowsRead, request: &ReadRequest<'_>) -> Answer {
    Answer { tag: contents.map(|contents| AnswerTag::of(contents, request)), ..answer }
}

pub(super) fn kept(answer: &Answer, contents: Contents) -> KeptAnswer {
    let Answer { rows, offset, total, ref next, .. } = *answer;
    KeptAnswer { contents, rows, offset, total, next: next.clone(), text: answer.body.copied() }
}
