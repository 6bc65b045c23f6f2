//! Queries on past builds: what the active build was at a position.
//!
//! A past build that is finished never changes, so what it answered is right for as long as it is kept.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{
    Queries,
    answer::{TURN_TIMEOUT, kept, kept_of, tagged},
    cache::MAX_KEPT_ANSWER_BYTES,
    contents::Contents,
    error::ReadError,
    export::Export,
    origin::Origin,
    read::{Answer, query_on},
    request::ReadRequest,
    source::Source,
    tag::AnswerTag,
};
use crate::{
    builds::{ActiveBuild, BuildNumber, BuildState, FoundPast, past_build, past_tables},
    event_log::Position,
    metrics,
    modules::ModuleVersion,
    read_model::{Identifier, TableSet, columnar::Format},
};

/// How often it is looked whether a past build is finished, at first and later.
const POLL: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(250)];

/// A past build that can be read.
#[derive(Clone, Debug)]
pub struct PastModel {
    build: Arc<ActiveBuild>,
    contents: Contents,
    /// Its number.
    pub past_build: BuildNumber,
    /// The version that made its rows.
    pub version: ModuleVersion,
    /// It holds the effect of every event up to this position, and of none behind.
    pub position: Position,
}

/// The end of the wait for a past build.
#[derive(Clone, Debug)]
pub enum PastWait {
    /// It is finished.
    Finished(PastModel),
    /// It is still being made.
    BeingMade(BuildNumber),
}

impl PastModel {
    /// Where its rows come from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { build: Some(self.past_build), version: self.version }
    }
}

impl Queries {
    /// Whether a query can be answered from tables, before there are any rows.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(&self, request: &ReadRequest<'_>, tables: &TableSet) -> Result<(), ReadError> {
        query_on(tables, request).map(|_| ())
    }

    /// Waits until a past build is finished.
    ///
    /// # Errors
    /// It stops, or is retired, or Postgres fails.
    pub(crate) async fn wait_for_past(
        &self,
        projection: &Identifier,
        found: FoundPast,
        until: Instant,
    ) -> Result<PastWait, ReadError> {
        let (mut found, [mut pause, longest]) = (found, POLL);
        loop {
            match found.state {
                BuildState::Finished => return Ok(PastWait::Finished(self.past_model(projection, &found).await?)),
                BuildState::Halted | BuildState::Failed => {
                    return Err(ReadError::PastStopped {
                        projection: projection.clone(),
                        past_build: found.number,
                        state: found.state,
                        checkpoint: found.checkpoint,
                        wanted: found.position,
                        error: found.error.map(Box::new),
                    });
                }
                _ => {}
            }
            if Instant::now() >= until {
                return Ok(PastWait::BeingMade(found.number));
            }
            sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 3 / 2).min(longest);
            let gone = || ReadError::PastGone { projection: projection.clone(), past_build: found.number };
            found = past_build(&self.pool, found.build).await?.ok_or_else(gone)?;
        }
    }

    async fn past_model(&self, projection: &Identifier, found: &FoundPast) -> Result<PastModel, ReadError> {
        let key = (found.build, found.contents);
        let build = match self.past_tables.get(key) {
            Some(build) => build,
            None => {
                let build = Arc::new(past_tables(&self.pool, projection, found).await?);
                self.past_tables.put(key, Arc::clone(&build));
                build
            }
        };
        Ok(PastModel {
            build,
            contents: Contents(found.contents),
            past_build: found.number,
            version: found.version,
            position: found.position,
        })
    }

    /// The tag of the answer to a request.
    #[must_use]
    pub fn past_tag(&self, past: &PastModel, request: &ReadRequest<'_>) -> AnswerTag {
        AnswerTag::of(past.contents, request)
    }

    /// Answers a query from a past build. If it is dropped, the query ends in Postgres as well.
    ///
    /// # Errors
    /// The query is wrong or costs too much, the past build is retired meanwhile, or Postgres fails.
    pub async fn read_past(&self, request: ReadRequest<'_>, past: &PastModel) -> Result<Answer, ReadError> {
        let mut search = self.cache.search(&request);
        // Contents are random: with any log, equal ones are the same rows.
        if let Some(search) = &mut search
            && search.may_succeed()
            && let Some(found) = search.find(Uuid::nil(), past.contents).await
        {
            return kept_of(found, (past.position, past.origin()), &request).await;
        }
        if search.is_some() {
            metrics::of_host().queries.missed();
        }
        let limit = request.limits.timeout;
        let slot = self.slot(request.projection, Instant::now() + limit.min(TURN_TIMEOUT)).await?;
        let read = Self::on_a_connection(|| self.read_source(Source::Build(&past.build), request, &slot));
        let read = timeout(limit, read).await.unwrap_or(Err(ReadError::TimedOut(limit)))?;
        let read = read.ok_or_else(|| self.gone(request.projection, past))?;
        let contents = read.contents;
        let answer = tagged(read, &request);
        if let (Some(search), Some(contents)) = (search, contents)
            && answer.body.bytes() <= MAX_KEPT_ANSWER_BYTES
        {
            search.keep(Some(Uuid::nil()), kept(&answer, contents));
        }
        Ok(answer)
    }

    /// Begins to read all rows of a request from a past build.
    ///
    /// # Errors
    /// Those of [`read_past`](Self::read_past), until the first bytes are there.
    pub async fn export_past(
        &self,
        request: ReadRequest<'_>,
        format: Format,
        past: &PastModel,
    ) -> Result<Export, ReadError> {
        let export = Self::on_a_connection(|| self.export_build(&past.build, request, format)).await?;
        export.ok_or_else(|| self.gone(request.projection, past))
    }

    fn gone(&self, projection: &Identifier, past: &PastModel) -> ReadError {
        ReadError::PastGone { projection: projection.clone(), past_build: past.past_build }
    }
}
