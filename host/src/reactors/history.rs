//! The history of reactors: every change, with its time and cause.

use gnomon_values::Instant;
use sqlx::{PgConnection, PgPool};

use super::state::Event;
use crate::{
    audit::Actor,
    modules::ModuleVersion,
    postgres::{PgTimestamp, sql_row},
    read_model::Identifier,
};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A version was uploaded, and does not work yet.
    Uploaded,
    /// The reactor has begun.
    Begun,
    /// Another version works.
    Activated,
    /// Its events go through other upcasters.
    Upcasters,
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
    /// A setting was changed.
    Configured,
    /// It was deleted.
    Deleted,
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        match event {
            Event::Paused => Self::Paused,
            Event::Resumed => Self::Resumed,
            Event::Retried => Self::Retried,
            Event::VersionChanged => Self::Activated,
            Event::Configured => Self::Configured,
            Event::Halted => Self::Halted,
            Event::Failed => Self::Failed,
        }
    }
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Begun => "begun",
            Self::Activated => "activated",
            Self::Upcasters => "upcasters_changed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Halted => "halted",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Configured => "configured",
            Self::Deleted => "deleted",
        }
    }
}

/// A change of a reactor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its number, which grows over all projections, reactors and sinks, with gaps.
    pub entry: i64,
    /// Its time.
    pub at: Instant,
    /// The version that works then, or that was uploaded.
    pub version: ModuleVersion,
    /// What changed: `uploaded`, `begun`, `activated`, `upcasters_changed`, `paused`, `resumed`, `halted`, `failed`, `retried`, `configured`,
    /// `deleted`.
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
    version: ModuleVersion,
    change: String,
    cause: String,
    actor: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
}

sql_row!(EntryRow { entry, at, version, change, cause, actor, address, request_id });

/// Adds a change to the history, in the transaction that makes it.
pub(crate) async fn note(
    connection: &mut PgConnection,
    reactor: &Identifier,
    version: ModuleVersion,
    change: Change,
    cause: &str,
) -> Result<(), sqlx::Error> {
    let [actor, address, request_id] = Actor::in_history();
    sqlx::query(
        "INSERT INTO gnomon.history (reactor, version, change, cause, actor, address, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(reactor)
    .bind(version)
    .bind(change.as_str())
    .bind(cause)
    .bind(actor)
    .bind(address)
    .bind(request_id)
    .execute(connection)
    .await
    .map(drop)
}

/// The newest `limit` entries of a reactor's history before entry `before`, newest first. Empty if there never was such a reactor.
pub(crate) async fn history(
    pool: &PgPool,
    name: &Identifier,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<HistoryEntry>, sqlx::Error> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT entry, at, version, change, cause, actor, address, request_id FROM gnomon.history
         WHERE reactor = $1 AND ($2::bigint IS NULL OR entry < $2) ORDER BY entry DESC LIMIT $3",
    )
    .bind(name)
    .bind(before)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    let entry = |EntryRow { entry, at, version, change, cause, actor, address, request_id }| {
        let at = at.instant();
        HistoryEntry { entry, at, version, change, cause, actor, address, request_id }
    };
    Ok(rows.into_iter().map(entry).collect())
}
