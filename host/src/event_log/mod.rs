//! The log of events: append, read, follow.
//!
//! It knows nothing of modules, projections or HTTP.

mod ages;
mod append;
mod blocks;
mod counts;
mod direction;
mod event;
mod event_query;
mod filter;
mod follow;
mod head;
mod identity;
mod json_text;
mod limits;
mod measures;
mod name;
mod other_hosts;
mod pages;
mod personal;
mod read;
mod recent;
mod row;
mod settings;
mod streams;
mod summary;
mod types;
mod which_database;

use std::{sync::Arc, time::Duration};

use gnomon_values::{Instant as Timestamp, limits::LimitError};
use sqlx::{PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{
    personal_data::PersonalData,
    postgres::{Notifications, PgTimestamp},
};

pub(crate) use self::{
    ages::ages,
    append::{AppendWithinError, Uncommitted},
    read::{head, head_within},
};
pub use self::{
    append::{Append, AppendError, Appended, ExpectedVersion, Imported, Line},
    direction::Direction,
    event::{EventId, NewEvent, Position, RecordedEvent, SchemaVersion, SchemaVersionError, StreamVersion},
    event_query::{AppendCondition, EventQuery, QueryItem},
    filter::{Filter, NameFilter},
    follow::{FollowError, Followed},
    identity::log_id,
    json_text::{JsonText, JsonTextError},
    limits::Limits,
    measures::{Growth, HeadReading, LogSize, measure},
    name::{Category, EventType, NameError, StreamName, Tag, distinct_tags},
    read::{LogPage, PageSize, StreamAt, StreamPage},
    settings::EventLogSettings,
    streams::StreamSummary,
    summary::{
        Counts, DayCounts, KEPT_STREAMS, MAX_TAIL_EVENTS, Ranked, Ranking, Statistics, SummaryKeeper,
        Wanted as WantedStatistics,
    },
    types::{CategoryType, resembles},
    which_database::{WhichDatabase, which_database},
};

/// The log. Clones are handles on one log.
#[derive(Clone, Debug)]
pub struct EventLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    reader: read::Reader,
    limits: Limits,
    settings: EventLogSettings,
    look_ups: append::LookUps,
    appender: append::Appender,
    head: head::KnownHead,
    other_hosts: other_hosts::OtherHosts,
    elsewhere: append::AppendedElsewhere,
    personal: personal::Personal,
    follow_head: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.follow_head.abort();
    }
}

impl EventLog {
    /// Opens the log in a database whose schema is up to date, without keys to personal data: see [`open_with`](Self::open_with).
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn open(pool: PgPool, settings: EventLogSettings) -> Result<Self, sqlx::Error> {
        let personal = PersonalData::without_keys(pool.clone()).await?;
        Self::open_with(pool, settings, personal).await
    }

    /// Opens the log in a database whose schema is up to date, and the connections that it keeps: one to append, one to listen.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn open_with(
        pool: PgPool,
        settings: EventLogSettings,
        personal: PersonalData,
    ) -> Result<Self, sqlx::Error> {
        let found = identity::look(&pool).await?;
        let head = head::KnownHead::new(found.position);
        let other_hosts = other_hosts::OtherHosts::unknown();
        let elsewhere = append::AppendedElsewhere::default();
        let (known, others) = (head.clone(), other_hosts.clone());
        let appender = append::Appender::start(pool.clone(), known, others, elsewhere.clone(), settings).await?;
        let notifications = Notifications::listen(pool.clone(), "gnomon_head").await?;
        let follow = head::follow_head(pool.clone(), notifications, head.clone(), Some(found.identity));
        let follow_head = tokio::spawn(follow);
        let reader = read::Reader::new(pool.clone());
        let limits = settings.limits;
        let look_ups = append::LookUps::new(&pool, head.clone());
        let personal = personal::Personal { data: personal, timeout: settings.append_timeout };
        let shared = Shared {
            pool,
            reader,
            limits,
            settings,
            look_ups,
            appender,
            head,
            other_hosts,
            elsewhere,
            personal,
            follow_head,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Appends events to their streams, all or nothing, and only if the condition holds. When it returns, they are committed.
    ///
    /// The condition is decided over the events of the log that come before these, with no other append between. Appends that are a repeat
    /// are answered as the first time, whether or not it holds now.
    ///
    /// # Errors
    /// Nothing was appended, see [`AppendError`].
    pub async fn append(
        &self,
        appends: Vec<Append>,
        condition: Option<AppendCondition>,
    ) -> Result<Vec<Appended>, AppendError> {
        let began = Instant::now();
        let result = self.try_append(appends, condition).await;
        counts::append(&result, began.elapsed());
        result
    }

    async fn try_append(
        &self,
        mut appends: Vec<Append>,
        condition: Option<AppendCondition>,
    ) -> Result<Vec<Appended>, AppendError> {
        let Shared { limits, appender, personal, .. } = &*self.shared;
        appends.iter().try_for_each(|append| append::check_writer(&append.stream))?;
        append::check_appends(&appends, limits)?;
        personal.seal(&mut appends).await?;
        let appends = Arc::from(appends);
        match condition {
            None => appender.append(appends, None).await,
            Some(condition) => self.append_if(appends, condition).await,
        }
    }

    /// Appends what the host itself has to say, as [`append`](Self::append) does without a condition, also to reserved streams.
    ///
    /// # Errors
    /// Nothing was appended, see [`AppendError`].
    pub(crate) async fn append_own(&self, mut appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let began = Instant::now();
        let Shared { limits, appender, personal, .. } = &*self.shared;
        append::check_appends(&appends, limits)?;
        personal.seal(&mut appends).await?;
        let result = appender.append(Arc::from(appends), None).await;
        counts::append(&result, began.elapsed());
        result
    }

    /// Checks how large an append is that the host makes, which [`append_within`](Self::append_within) does not.
    ///
    /// # Errors
    /// It is too large, or not possible.
    pub(crate) fn check_own(&self, append: &Append) -> Result<(), AppendError> {
        append::check_appends(std::slice::from_ref(append), &self.shared.limits)
    }

    /// Appends in the transaction that the connection is in, one after the other, also to reserved streams. In place of an append that is
    /// refused, what `instead` makes of its index and the refusal is appended.
    ///
    /// From now until the transaction ends, no host appends: this has to be its last statement. It waits for the lock of the log for as long as
    /// the `lock_timeout` of the transaction is.
    ///
    /// # Errors
    /// Postgres fails, or what `instead` makes is refused. The transaction has to be rolled back.
    pub(crate) async fn append_within(
        &self,
        connection: &mut PgConnection,
        mut appends: Vec<Append>,
        instead: impl Fn(usize, &AppendError) -> Result<Append, String> + Send,
    ) -> Result<Uncommitted, AppendWithinError> {
        let Shared { head, other_hosts, elsewhere, settings, personal, .. } = &*self.shared;
        // Before the lock of the log is taken.
        let refused = personal.seal_each(&mut appends, Duration::ZERO).await.map_err(sqlx::Error::from)?;
        let how = append::HowWithin {
            refused,
            known: head.clone(),
            elsewhere: elsewhere.clone(),
            tells_others: other_hosts.may_listen(),
            partition_events: settings.partition_events,
            answer_timeout: settings.answer_timeout,
        };
        append::append_within(connection, appends, instead, how).await
    }

    async fn append_if(
        &self,
        appends: Arc<[Append]>,
        condition: AppendCondition,
    ) -> Result<Vec<Appended>, AppendError> {
        let Shared { reader, limits, appender, look_ups, settings, .. } = &*self.shared;
        limits.check_query(&condition.fail_if_events_match)?;
        let deadline = Instant::now() + settings.append_timeout;
        let mut condition = append::LookedUp::begin(condition);
        // Only what has ids may be in the log already.
        let is_new = |event: &NewEvent| matches!(event.id, EventId::Made(_));
        let is_new = appends.iter().all(|append| append.events.iter().all(is_new));
        loop {
            if let Err(error) = look_ups.look_up(&mut condition, reader, deadline).await {
                condition.refuse(error);
            }
            // A repeat has its answer, whatever its condition is.
            if is_new && let Some(error) = condition.failed() {
                return Err(error);
            }
            match appender.append(Arc::clone(&appends), Some(condition.clone())).await {
                Err(AppendError::LookUpAgain) if Instant::now() < deadline => {}
                Err(AppendError::LookUpAgain) => return Err(AppendError::ConditionTimedOut),
                result => return result,
            }
        }
    }

    /// Checks how large an event query is.
    ///
    /// # Errors
    /// It is too large.
    pub fn check_query(&self, query: &EventQuery) -> Result<(), LimitError> {
        self.shared.limits.check_query(query)
    }

    /// Checks that appends can be made now. While another append is being tried, it waits for its result.
    ///
    /// # Errors
    /// Why they cannot.
    pub async fn check_appends(&self) -> Result<(), AppendError> {
        self.shared.appender.check().await
    }

    /// Appends the events that are not in the log yet, all or nothing; `first_line` is the number of the first line, from 1, to
    /// name lines in errors.
    ///
    /// # Errors
    /// Nothing was appended, see [`AppendError`].
    pub async fn import(&self, lines: Vec<Line>, first_line: usize) -> Result<Imported, AppendError> {
        let result = self.try_import(lines, first_line).await;
        counts::import(&result);
        result
    }

    async fn try_import(&self, mut lines: Vec<Line>, first_line: usize) -> Result<Imported, AppendError> {
        lines.iter().try_for_each(|line| self.check_line(line))?;
        if lines.is_empty() {
            return Ok(Imported::default());
        }
        self.shared.personal.seal_lines(&mut lines, first_line).await?;
        self.shared.appender.import(lines).await.map_err(|error| match error {
            AppendError::IdTaken { id, stream, version, position, difference, line } => {
                let line = line.map(|line| line + first_line);
                AppendError::IdTaken { id, stream, version, position, difference, line }
            }
            AppendError::LinesDiffer { id, difference, first_line: first, line } => {
                AppendError::LinesDiffer { id, difference, first_line: first + first_line, line: line + first_line }
            }
            error => error,
        })
    }

    /// Checks what can be checked of a line before any line is imported.
    ///
    /// # Errors
    /// The line cannot be imported.
    pub fn check_line(&self, line: &Line) -> Result<(), AppendError> {
        append::check_line(line, &self.shared.limits)
    }

    /// How large an append may be.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The newest position that this host knows of. The receiver is notified when it moves.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Position> {
        self.shared.head.position()
    }

    /// Says that for so long no other host lives, so that appends notify nobody. Nothing that was said before counts any more: no time at all
    /// says that others may live, as nobody has to say.
    pub fn no_other_host_for(&self, time: Duration) {
        self.shared.other_hosts.none_for(time);
    }

    /// Counts how often the log was found to be another one than before, since its database was restored under this host. The receiver is
    /// notified when it happens; what was read of the log before may not be in it any more.
    #[must_use]
    pub fn restores(&self) -> watch::Receiver<u64> {
        self.shared.head.restores()
    }

    /// The position of the newest event that any host has committed.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn read_head(&self) -> Result<Position, sqlx::Error> {
        head(&self.shared.pool).await
    }

    /// The position of the newest event that was recorded at an instant or before it, 0 if there is none; and whether the instant has passed.
    /// If it has not, later events may be recorded at it or before it.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn position_at(&self, at: Timestamp) -> Result<(Position, bool), sqlx::Error> {
        read::position_at(&self.shared.pool, PgTimestamp(at.0)).await
    }

    /// Whether an instant has passed: all events that will ever be recorded at it or before it are there. An append that is under way is waited for.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn has_passed(&self, at: Timestamp) -> Result<bool, sqlx::Error> {
        let (_, has_passed) = read::end_at(&self.shared.pool, PgTimestamp(at.0)).await?;
        Ok(has_passed)
    }

    /// The version of a stream's newest event that any host has committed; 0 if there is no such stream.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn stream_version(&self, name: &StreamName) -> Result<StreamVersion, sqlx::Error> {
        Ok(read::version(&self.shared.pool, name).await?.unwrap_or_default())
    }

    /// The version that a stream had at an instant: of its newest event that was recorded then or before; 0 if there is none.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn stream_version_at(
        &self,
        name: &StreamName,
        instant: gnomon_values::Instant,
    ) -> Result<StreamVersion, sqlx::Error> {
        read::version_at(&self.shared.pool, name, instant).await
    }

    /// How far some streams were at a position of the log: of those that there are, in any order.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn versions_at(&self, streams: &[StreamName], position: Position) -> Result<Vec<StreamAt>, sqlx::Error> {
        read::versions_at(&self.shared.pool, streams, position).await
    }

    /// The types of events that the streams of some categories have, or all streams, and where events of some types are, or of all
    /// types: at most `limit` of both.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn event_types(&self, filter: &Filter, limit: usize) -> Result<Vec<CategoryType>, sqlx::Error> {
        types::types(&self.shared.pool, filter.categories.names(), filter.types.names(), limit).await
    }

    /// The categories of the streams that have events of some types, or any: at most `limit`. Empty is that of streams whose names begin with `-`.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn categories_of(&self, types: &NameFilter, limit: usize) -> Result<Vec<String>, sqlx::Error> {
        types::categories(&self.shared.pool, types.names(), limit).await
    }

    /// Begins to keep the summary of the log, of which [`statistics`](Self::statistics) are read, in step with what all hosts append. Where
    /// several hosts do, each step is made by one of them.
    #[must_use]
    pub fn keep_summary(&self) -> SummaryKeeper {
        summary::keep(self.shared.pool.clone(), self.head(), self.restores())
    }

    /// What the log consists of, exactly up to the position that it says. That is the head, while there is a host that keeps the summary, and
    /// has not found the log longer than it could count yet.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn statistics(&self, wanted: WantedStatistics) -> Result<Statistics, sqlx::Error> {
        summary::read(&self.shared.pool, wanted).await
    }

    /// The streams of some categories whose names come after `after` in the order of bytes.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn streams(
        &self,
        categories: &NameFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<StreamSummary>, sqlx::Error> {
        streams::list(&self.shared.pool, categories, after, limit).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
