//! The history: every change of a build's state, with its time and cause.

use gnomon_values::Instant;
use sqlx::{PgConnection, PgPool};

use super::{
    number::{BuildName, BuildNumber},
    state::Event,
};
use crate::{
    audit::Actor,
    postgres::{PgTimestamp, sql_row},
    read_model::Identifier,
};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A build was started.
    Begun,
    /// It has caught up, and its tables have their indexes.
    CaughtUp,
    /// Queries read it.
    Activated,
    /// Queries turned to another build.
    Replaced,
    /// It could not be made the active one.
    NotActivated,
    /// An operator paused it.
    Paused,
    /// An operator resumed it.
    Resumed,
    /// It stopped at an event that its module cannot handle.
    Halted,
    /// It stopped for another reason that is not transient.
    Failed,
    /// Dead letters, or the event that it halted at, were tried again.
    Retried,
    /// Its tables were dropped.
    Retired,
    /// A setting of the projection was changed.
    Configured,
    /// The projection was deleted.
    Deleted,
}

impl Change {
    /// The entry that an event of a build has in the history.
    pub(super) fn of(event: Event) -> Self {
        match event {
            Event::CaughtUp => Self::CaughtUp,
            Event::Activated => Self::Activated,
            Event::Replaced => Self::Replaced,
            Event::ActivationFailed => Self::NotActivated,
            // These have an entry only if they retire the build.
            Event::ActivateWhenLive | Event::Superseded | Event::Retired => Self::Retired,
            Event::Paused => Self::Paused,
            Event::Resumed => Self::Resumed,
            Event::Halted => Self::Halted,
            Event::Failed => Self::Failed,
            Event::Retried => Self::Retried,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::CaughtUp => "caught_up",
            Self::Activated => "activated",
            Self::Replaced => "replaced",
            Self::NotActivated => "not_activated",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Halted => "halted",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Retired => "retired",
            Self::Configured => "configured",
            Self::Deleted => "deleted",
        }
    }
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// 1, 2, 3 … over all projections, with gaps.
    pub entry: i64,
    /// Its time.
    pub at: Instant,
    /// The build that changed, or `None` if it was the projection as a whole.
    pub build: Option<BuildName>,
    /// What changed: `begun`, `caught_up`, `activated`, `replaced`, `not_activated`, `paused`, `resumed`, `halted`, `failed`,
    /// `retried`, `retired`, `configured`, `deleted`.
    pub change: String,
    /// Why.
    pub cause: String,
    /// Who asked for it; `None` if the host did it by itself.
    pub actor: Option<String>,
    /// The address that the request came from.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

struct EntryRow {
    entry: i64,
    at: PgTimestamp,
    build: Option<BuildNumber>,
    verification: Option<BuildNumber>,
    change: String,
    cause: String,
    actor: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
}

sql_row!(EntryRow { entry, at, build, verification, change, cause, actor, address, request_id });

/// Adds a change to the history, in the transaction that makes it.
pub(crate) async fn note(
    connection: &mut PgConnection,
    projection: &Identifier,
    build: Option<BuildName>,
    change: Change,
    cause: &str,
) -> Result<(), sqlx::Error> {
    let (build, verification) = match build {
        Some(BuildName::Build(number)) => (Some(number), None),
        Some(BuildName::Verification(number)) => (None, Some(number)),
        // Past builds are not in the history.
        Some(BuildName::Past(_)) => return Ok(()),
        None => (None, None),
    };
    let [actor, address, request_id] = Actor::in_history();
    sqlx::query(
        "INSERT INTO gnomon.history (projection, build, verification, change, cause, actor, address, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(projection)
    .bind(build)
    .bind(verification)
    .bind(change.as_str())
    .bind(cause)
    .bind(actor)
    .bind(address)
    .bind(request_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest `limit` entries of a projection's history before entry `before`, newest first. Empty if there never was such a
/// projection.
pub(crate) async fn history(
    pool: &PgPool,
    name: &Identifier,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<HistoryEntry>, sqlx::Error> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT entry, at, build, verification, change, cause, actor, address, request_id FROM gnomon.history
         WHERE projection = $1 AND ($2::bigint IS NULL OR entry < $2) ORDER BY entry DESC LIMIT $3",
    )
    .bind(name)
    .bind(before)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    let entry = |EntryRow { entry, at, build, verification, change, cause, actor, address, request_id }| {
        let at = at.instant();
        let build = build.map(BuildName::Build).or(verification.map(BuildName::Verification));
        HistoryEntry { entry, at, build, change, cause, actor, address, request_id }
    };
    Ok(rows.into_iter().map(entry).collect())
}
