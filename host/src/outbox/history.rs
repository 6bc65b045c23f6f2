//! The history of sinks: what operators have changed, of them and of their messages, with the time.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::sink_name::SinkName;
use crate::{
    audit::Actor,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, sql_row, within},
};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The sink was made.
    Made,
    /// Its settings were changed.
    Changed,
    /// It was removed.
    Removed,
    /// What waits for it, and what has failed, is sent now.
    Retried,
    /// A message is sent now.
    MessageRetried,
    /// A message was removed, and is not sent.
    MessageDropped,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Retried => "retried",
            Self::MessageRetried => "message_retried",
            Self::MessageDropped => "message_dropped",
        }
    }
}

/// A change of a sink, or of one of its messages.
#[derive(Clone, Debug)]
pub struct SinkHistoryEntry {
    /// Its number, which grows over all projections, reactors and sinks, with gaps.
    pub entry: i64,
    /// Its time.
    pub at: PgTimestamp,
    /// The message that it is about, if it is about one.
    pub message: Option<Uuid>,
    /// What changed: `made`, `changed`, `removed`, `retried`, `message_retried`, `message_dropped`.
    pub change: String,
    /// Why, and what it is now.
    pub cause: String,
    /// Who asked for it; `None` if the host did it by itself.
    pub actor: Option<String>,
    /// The address that the request came from.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

sql_row!(SinkHistoryEntry { entry, at, message, change, cause, actor, address, request_id });

/// Adds a change to the history, in the transaction that makes it.
pub(super) async fn note(
    connection: &mut PgConnection,
    sink: &SinkName,
    message: Option<Uuid>,
    change: Change,
    cause: &str,
) -> Result<(), sqlx::Error> {
    let [actor, address, request_id] = Actor::in_history();
    sqlx::query(
        "INSERT INTO gnomon.history (sink, message, change, cause, actor, address, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(sink)
    .bind(message)
    .bind(change.as_str())
    .bind(cause)
    .bind(actor)
    .bind(address)
    .bind(request_id)
    .execute(connection)
    .await
    .map(drop)
}

/// The newest `limit` entries of a sink's history before entry `before`, newest first. Empty if there never was such a sink.
pub(super) async fn history(
    pool: &PgPool,
    sink: &SinkName,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<SinkHistoryEntry>, sqlx::Error> {
    let entries = sqlx::query_as(
        "SELECT entry, at, message, change, cause, actor, address, request_id FROM gnomon.history
         WHERE sink = $1 AND ($2::bigint IS NULL OR entry < $2) ORDER BY entry DESC LIMIT $3",
    )
    .bind(sink)
    .bind(before)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool);
    within(ANSWER_TIMEOUT, "the history of a sink", entries).await
}
