//! What operators see and do of messages: list them, try them again, drop them.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{
    history::{Change, note},
    message::{MessageState, NamedMessage},
    sink_name::SinkName,
};
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, begin, rows_within, within},
};

/// Which messages are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only those of a sink.
    pub sink: Option<SinkName>,
    /// Only those of a reactor.
    pub reactor: Option<String>,
    /// Only those in a state.
    pub state: Option<MessageState>,
    /// Only those after this place, the oldest first.
    pub after: i64,
    /// How many, at most.
    pub limit: usize,
}

/// A message, as operators see it.
#[derive(Clone, Debug)]
pub struct ListedMessage {
    /// Its place in the outbox.
    pub number: i64,
    /// Its id.
    pub id: Uuid,
    /// The reactor that sends it.
    pub reactor: String,
    /// Where it goes.
    pub sink: SinkName,
    /// What is in order with it.
    pub key: String,
    /// Of a call, its name.
    pub call: Option<String>,
    /// The event that it comes from.
    pub position: Position,
    /// What it says.
    pub message_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// JSON; only if one message is asked for.
    pub data: Option<String>,
    /// What has become of it.
    pub state: MessageState,
    /// Tries that have ended.
    pub tries: u32,
    /// Of the last one.
    pub error: Option<String>,
    /// When it was enqueued.
    pub enqueued_at: PgTimestamp,
    /// When it is tried next; of the first message of its key only, for which the others wait. If it is being sent, when that is given up.
    pub next_try_at: Option<PgTimestamp>,
    /// When it was delivered, or has failed.
    pub done_at: Option<PgTimestamp>,
}

/// Why nothing is done with a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There is none with the id, or not any more.
    #[error("there is no message {0} in the outbox; one that was delivered is kept for a while only")]
    Unknown(Uuid),
    /// It was delivered.
    #[error("the message {0} was delivered, and is not sent again")]
    Delivered(Uuid),
    /// Its reactor has the answer.
    #[error(
        "the call {0} has failed, and its reactor was told so by an event; it is not made again. If the reactor is to call again, append an event to \
         which it answers so"
    )]
    Answered(Uuid),
    /// Its reactor cannot be told.
    #[error("the call {0} is not dropped, since its reactor cannot be told: {1}")]
    Answer(Uuid, String),
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for ListedMessage {
    fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row as _;
        Ok(Self {
            number: row.try_get("message")?,
            id: row.try_get("id")?,
            reactor: row.try_get("reactor")?,
            sink: row.try_get("sink")?,
            key: row.try_get("key")?,
            call: row.try_get("call")?,
            position: row.try_get("position")?,
            message_type: row.try_get("type")?,
            subject: row.try_get("subject")?,
            data: row.try_get("data")?,
            state: row.try_get("state")?,
            tries: u32::try_from(row.try_get::<i32, _>("tries")?).unwrap_or_default(),
            error: row.try_get("error")?,
            enqueued_at: row.try_get("enqueued_at")?,
            next_try_at: row.try_get("next_try_at")?,
            done_at: row.try_get("done_at")?,
        })
    }
}

macro_rules! select_listed {
    ($data:literal, $rest:literal) => {
        concat!(
            "SELECT message, id, reactor, sink, key, call, position, type, subject, ",
            $data,
            " AS data, state, tries, error, enqueued_at, done_at, CASE WHEN state = 'pending' AND NOT EXISTS (
                 SELECT FROM gnomon.outbox AS earlier WHERE earlier.sink = outbox.sink AND earlier.reactor = outbox.reactor AND earlier.key = outbox.key
                     AND earlier.state = 'pending' AND earlier.message < outbox.message
             ) THEN (
                 SELECT due_at FROM gnomon.outbox_keys AS keys
                 WHERE keys.sink = outbox.sink AND keys.reactor = outbox.reactor AND keys.key = outbox.key
             ) END AS next_try_at
             FROM gnomon.outbox ",
            $rest
        )
    };
}

/// A page of messages.
pub(super) async fn list(pool: &PgPool, wanted: &Wanted) -> Result<Vec<ListedMessage>, sqlx::Error> {
    let rows = sqlx::query_as(select_listed!(
        "NULL::text",
        "WHERE message > $1 AND ($2::text IS NULL OR sink = $2) AND ($3::text IS NULL OR reactor = $3) AND ($4::text IS NULL OR state = $4)
         ORDER BY message LIMIT $5"
    ))
    .bind(wanted.after)
    .bind(&wanted.sink)
    .bind(&wanted.reactor)
    .bind(wanted.state)
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch(pool);
    rows_within("messages of the outbox", rows).await
}

/// A message, with its data.
pub(super) async fn get(pool: &PgPool, id: Uuid) -> Result<ListedMessage, MessageError> {
    let found = sqlx::query_as(select_listed!("data::text", "WHERE id = $1")).bind(id).fetch_optional(pool);
    within(ANSWER_TIMEOUT, "a message of the outbox", found).await?.ok_or(MessageError::Unknown(id))
}

/// Whether a message is being sent, as far as is known: a host has claimed its key, and it is the first there.
pub(super) async fn is_being_sent(pool: &PgPool, id: Uuid) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM gnomon.outbox JOIN gnomon.outbox_keys AS keys USING (sink, reactor, key)
             WHERE outbox.id = $1 AND keys.claim IS NOT NULL AND keys.due_at > clock_timestamp() AND NOT EXISTS (
                 SELECT FROM gnomon.outbox AS earlier WHERE earlier.sink = keys.sink AND earlier.reactor = keys.reactor AND earlier.key = keys.key
                     AND earlier.state = 'pending' AND earlier.message < outbox.message
             )
         )",
    )
    .bind(id)
    .fetch_one(pool);
    within(ANSWER_TIMEOUT, "whether a message is being sent", found).await
}

/// The row of a message, locked, with what locks its key.
async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<NamedMessage, MessageError> {
    // The key first, as a delivery locks it.
    sqlx::query(
        "SELECT FROM gnomon.outbox_keys AS keys JOIN gnomon.outbox USING (sink, reactor, key) WHERE outbox.id = $1 FOR UPDATE OF keys",
    )
    .bind(id)
    .execute(&mut *connection)
    .await?;
    let found: Option<NamedMessage> =
        sqlx::query_as("SELECT message, sink, reactor, key, call, state FROM gnomon.outbox WHERE id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(connection)
            .await?;
    found.ok_or(MessageError::Unknown(id))
}

/// Sends a message now: one that has failed again, from its first try on; one that waits for its next try without the pause. Returns its sink.
pub(super) async fn retry(pool: &PgPool, id: Uuid) -> Result<SinkName, MessageError> {
    within(ANSWER_TIMEOUT, "another try of a message", async {
        let mut transaction = begin(pool).await?;
        let NamedMessage { message, sink, reactor, key, call, state } = lock(&mut transaction, id).await?;
        match (state, call) {
            (MessageState::Delivered, _) => return Err(MessageError::Delivered(id)),
            (MessageState::Failed, Some(_)) => return Err(MessageError::Answered(id)),
            _ => {}
        }
        // One that is being sent is left to that.
        sqlx::query(
            "INSERT INTO gnomon.outbox_keys (sink, reactor, key) VALUES ($1, $2, $3)
             ON CONFLICT (sink, reactor, key) DO UPDATE
             SET due_at = CASE WHEN outbox_keys.claim IS NULL THEN clock_timestamp() ELSE outbox_keys.due_at END",
        )
        .bind(&sink)
        .bind(&reactor)
        .bind(&key)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE gnomon.outbox SET state = 'pending', tries = 0, done_at = NULL WHERE message = $1")
            .bind(message)
            .execute(&mut *transaction)
            .await?;
        let cause = format!("an operator sent it again; its state was {}", state.as_str());
        note(&mut transaction, &sink, Some(id), Change::MessageRetried, &cause).await?;
        transaction.commit().await?;
        Ok(sink)
    })
    .await
}

/// Sends all messages of a sink now that wait for their next try, and up to `limit` of those that have failed, the oldest first. Calls that have
/// failed are answered, and stay as they are. Returns how many that had failed are sent again.
pub(super) async fn retry_sink(pool: &PgPool, sink: &SinkName, limit: usize) -> Result<u64, sqlx::Error> {
    within(ANSWER_TIMEOUT, "another try of the messages of a sink", async {
        let mut transaction = begin(pool).await?;
        let failed: Vec<i64> = sqlx::query_scalar(
            "SELECT message FROM gnomon.outbox WHERE sink = $1 AND state = 'failed' AND call IS NULL ORDER BY message LIMIT $2",
        )
        .bind(sink)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await?;
        // Keys before messages, in one order, as everywhere.
        sqlx::query(
            "INSERT INTO gnomon.outbox_keys (sink, reactor, key)
             SELECT DISTINCT sink, reactor, key FROM gnomon.outbox WHERE message = ANY($1) ORDER BY sink, reactor, key
             ON CONFLICT (sink, reactor, key) DO UPDATE SET key = excluded.key",
        )
        .bind(&failed)
        .execute(&mut *transaction)
        .await?;
        let again = sqlx::query(
            "UPDATE gnomon.outbox SET state = 'pending', tries = 0, done_at = NULL WHERE message = ANY($1) AND state = 'failed'",
        )
        .bind(&failed)
        .execute(&mut *transaction)
        .await?;
        // A key that somebody has locked is being sent, or gets a message.
        sqlx::query(
            "WITH waiting AS (
                 SELECT sink, reactor, key FROM gnomon.outbox_keys WHERE sink = $1 AND claim IS NULL AND due_at > clock_timestamp() FOR UPDATE SKIP LOCKED
             )
             UPDATE gnomon.outbox_keys AS keys SET due_at = clock_timestamp() FROM waiting
             WHERE keys.sink = waiting.sink AND keys.reactor = waiting.reactor AND keys.key = waiting.key",
        )
        .bind(sink)
        .execute(&mut *transaction)
        .await?;
        let cause = format!("an operator sent it what waits, and {} that had failed", again.rows_affected());
        note(&mut transaction, sink, None, Change::Retried, &cause).await?;
        transaction.commit().await?;
        Ok(again.rows_affected())
    })
    .await
}

/// Removes a message that is not to be sent.
pub(super) async fn drop(pool: &PgPool, id: Uuid) -> Result<(), MessageError> {
    within(ANSWER_TIMEOUT, "the removal of a message", async {
        let mut transaction = begin(pool).await?;
        let NamedMessage { message, sink, reactor, key, state, .. } = lock(&mut transaction, id).await?;
        let cause = format!("an operator dropped it; its state was {}", state.as_str());
        note(&mut transaction, &sink, Some(id), Change::MessageDropped, &cause).await?;
        sqlx::query("DELETE FROM gnomon.outbox WHERE message = $1").bind(message).execute(&mut *transaction).await?;
        sqlx::query(
            "DELETE FROM gnomon.outbox_keys WHERE sink = $1 AND reactor = $2 AND key = $3 AND NOT EXISTS (
                 SELECT FROM gnomon.outbox WHERE sink = $1 AND reactor = $2 AND key = $3 AND state = 'pending'
             )",
        )
        .bind(&sink)
        .bind(&reactor)
        .bind(&key)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}
