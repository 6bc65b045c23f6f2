//! Claims on keys, and what becomes of their messages: the SQL of deliveries.
//!
//! A claim is a row of `outbox_keys` whose `due_at` was moved to the end of the claim. If its host dies, the key is due again then. Everything that a
//! delivery writes is written only while the row still has its claim.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, postgres::PgRow};
use uuid::Uuid;

use super::{
    message::{Message, MessageState},
    sink_name::SinkName,
};
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, begin, sql_row, within},
};

/// A key whose messages this host sends, for as long as the claim lasts.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) sink: SinkName,
    pub(super) reactor: String,
    pub(super) key: String,
    pub(super) id: Uuid,
    /// How long it lasts from each statement on that prolongs it.
    pub(super) lasts: Duration,
}

/// A key that was claimed by the statement that has added its first message.
#[derive(Debug)]
pub(crate) struct ClaimedKey {
    pub(super) sink: SinkName,
    pub(super) reactor: String,
    pub(super) key: String,
    /// The number and the id of that message; `None` if it was in the outbox already.
    pub(super) first: Option<(i64, Uuid)>,
}

/// How a delivery has ended, or an operator's wish.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done<'a> {
    pub(super) state: MessageState,
    /// Tries that this delivery adds.
    pub(super) tries: u32,
    /// Why it failed.
    pub(super) error: Option<&'a str>,
}

/// What follows the end of a delivery.
#[derive(Debug)]
pub(super) enum Next {
    /// The next message of the key; the claim was prolonged.
    Message(Box<Message>),
    /// Nothing: there is none, or it is left to the next claim.
    Nothing,
    /// Another host has claimed the key since; nothing was written.
    Lost,
}

macro_rules! message_columns {
    () => {
        "message, id, call, position, type, subject, data::text AS data, time, tries, traceparent"
    };
}

struct MessageRow {
    message: i64,
    id: Uuid,
    call: Option<String>,
    position: Position,
    r#type: String,
    subject: Option<String>,
    data: String,
    time: PgTimestamp,
    tries: i32,
    traceparent: Option<String>,
}

impl sqlx::FromRow<'_, PgRow> for MessageRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row as _;
        Ok(Self {
            message: row.try_get("message")?,
            id: row.try_get("id")?,
            call: row.try_get("call")?,
            position: row.try_get("position")?,
            r#type: row.try_get("type")?,
            subject: row.try_get("subject")?,
            data: row.try_get("data")?,
            time: row.try_get("time")?,
            tries: row.try_get("tries")?,
            traceparent: row.try_get("traceparent")?,
        })
    }
}

impl MessageRow {
    fn of(self, claim: &Claim) -> Message {
        Message {
            number: self.message,
            id: self.id,
            reactor: claim.reactor.clone(),
            key: claim.key.clone(),
            call: self.call,
            position: self.position,
            message_type: self.r#type,
            subject: self.subject,
            data: self.data,
            time: self.time.instant(),
            tries: u32::try_from(self.tries).unwrap_or_default(),
            traceparent: self.traceparent,
        }
    }
}

struct ClaimedRow {
    reactor: String,
    key: String,
    first: Option<i64>,
}

sql_row!(ClaimedRow { reactor, key, first });

/// Claims up to so many keys of a sink that are due, those first that have waited for longest, each with its first message.
pub(super) async fn claim(
    pool: &PgPool,
    sink: &SinkName,
    keys: usize,
    lasts: Duration,
) -> Result<Vec<(Claim, Message)>, sqlx::Error> {
    let id = Uuid::new_v4();
    let statement = sqlx::query(concat!(
        "WITH due AS (
             SELECT sink, reactor, key FROM gnomon.outbox_keys WHERE sink = $1 AND due_at <= now()
             ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
         ), claimed AS (
             UPDATE gnomon.outbox_keys AS keys SET due_at = clock_timestamp() + $3, claim = $4 FROM due
             WHERE keys.sink = due.sink AND keys.reactor = due.reactor AND keys.key = due.key
             RETURNING keys.reactor, keys.key
         )
         SELECT claimed.reactor, claimed.key, first.message AS first, first.*
         FROM claimed LEFT JOIN LATERAL (
             SELECT ",
        message_columns!(),
        " FROM gnomon.outbox
             WHERE sink = $1 AND reactor = claimed.reactor AND key = claimed.key AND state = 'pending' ORDER BY message LIMIT 1
         ) AS first ON true"
    ))
    .bind(sink)
    .bind(i64::try_from(keys).unwrap_or(i64::MAX))
    .bind(lasts)
    .bind(id)
    .fetch_all(pool);
    let rows: Vec<PgRow> = within(ANSWER_TIMEOUT, format!("messages for the sink {sink}"), statement).await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        let ClaimedRow { reactor, key, first } = sqlx::FromRow::from_row(row)?;
        let claim = Claim { sink: sink.clone(), reactor, key, id, lasts };
        match first {
            Some(_) => {
                let message = <MessageRow as sqlx::FromRow<PgRow>>::from_row(row)?.of(&claim);
                claimed.push((claim, message));
            }
            // An operator has dropped its last message.
            None => release(pool, &claim).await?,
        }
    }
    Ok(claimed)
}

/// Gives a claim back: the key is due now, or gone if nothing waits behind it.
pub(super) async fn release(pool: &PgPool, claim: &Claim) -> Result<(), sqlx::Error> {
    within(ANSWER_TIMEOUT, "a claim that is given back", async {
        let mut transaction = begin(pool).await?;
        if is_held(&mut transaction, claim).await? {
            leave(&mut transaction, claim).await?;
        }
        transaction.commit().await
    })
    .await
}

/// Writes how a delivery has ended, and goes on to the next message of the key, if the caller wants it now.
pub(super) async fn finish(
    pool: &PgPool,
    claim: &Claim,
    message: i64,
    done: Done<'_>,
    wants_next: bool,
) -> Result<Next, sqlx::Error> {
    within(ANSWER_TIMEOUT, "the end of a delivery", async {
        let mut transaction = begin(pool).await?;
        if !is_held(&mut transaction, claim).await? {
            return Ok(Next::Lost);
        }
        end(&mut transaction, message, done).await?;
        let next = if wants_next { first(&mut transaction, claim).await? } else { None };
        match &next {
            Some(_) => prolong(&mut transaction, claim).await?,
            None => leave(&mut transaction, claim).await?,
        }
        transaction.commit().await?;
        Ok(next.map_or(Next::Nothing, |next| Next::Message(Box::new(next))))
    })
    .await
}

/// Writes why a try has failed, and gives the claim back: the key is due after a pause.
pub(super) async fn postpone(
    pool: &PgPool,
    claim: &Claim,
    message: i64,
    tries: u32,
    error: &str,
    pause: Duration,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(
        "WITH held AS (
             UPDATE gnomon.outbox_keys SET due_at = clock_timestamp() + $5, claim = NULL
             WHERE sink = $1 AND reactor = $2 AND key = $3 AND claim = $4 RETURNING 1
         )
         UPDATE gnomon.outbox SET tries = tries + $7, error = $8
         WHERE message = $6 AND state = 'pending' AND EXISTS (SELECT FROM held)",
    )
    .bind(&claim.sink)
    .bind(&claim.reactor)
    .bind(&claim.key)
    .bind(claim.id)
    .bind(pause)
    .bind(message)
    .bind(i32::try_from(tries).unwrap_or(i32::MAX))
    .bind(error)
    .execute(pool);
    within(ANSWER_TIMEOUT, "the next try of a message", statement).await.map(drop)
}

/// Whether the claim holds. The row is locked then, so that no message is added behind the key until the transaction ends; and the statements that
/// follow see all that were added before.
async fn is_held(connection: &mut PgConnection, claim: &Claim) -> Result<bool, sqlx::Error> {
    let held: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM gnomon.outbox_keys WHERE sink = $1 AND reactor = $2 AND key = $3 AND claim = $4 FOR UPDATE",
    )
    .bind(&claim.sink)
    .bind(&claim.reactor)
    .bind(&claim.key)
    .bind(claim.id)
    .fetch_optional(connection)
    .await?;
    Ok(held.is_some())
}

async fn end(connection: &mut PgConnection, message: i64, done: Done<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.outbox SET state = $2, tries = tries + $3, error = $4, done_at = clock_timestamp()
         WHERE message = $1 AND state = 'pending'",
    )
    .bind(message)
    .bind(done.state)
    .bind(i32::try_from(done.tries).unwrap_or(i32::MAX))
    .bind(done.error)
    .execute(connection)
    .await
    .map(drop)
}

async fn first(connection: &mut PgConnection, claim: &Claim) -> Result<Option<Message>, sqlx::Error> {
    let row: Option<MessageRow> = sqlx::query_as(concat!(
        "SELECT ",
        message_columns!(),
        " FROM gnomon.outbox WHERE sink = $1 AND reactor = $2 AND key = $3 AND state = 'pending' ORDER BY message LIMIT 1"
    ))
    .bind(&claim.sink)
    .bind(&claim.reactor)
    .bind(&claim.key)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| row.of(claim)))
}

async fn prolong(connection: &mut PgConnection, claim: &Claim) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.outbox_keys SET due_at = clock_timestamp() + $4 WHERE sink = $1 AND reactor = $2 AND key = $3",
    )
    .bind(&claim.sink)
    .bind(&claim.reactor)
    .bind(&claim.key)
    .bind(claim.lasts)
    .execute(connection)
    .await
    .map(drop)
}

/// The key is due now if messages wait behind it, else its row goes. It is locked.
async fn leave(connection: &mut PgConnection, claim: &Claim) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH waiting AS MATERIALIZED (
             SELECT EXISTS (
                 SELECT FROM gnomon.outbox WHERE sink = $1 AND reactor = $2 AND key = $3 AND state = 'pending'
             ) AS more
         ), due AS (
             UPDATE gnomon.outbox_keys SET due_at = clock_timestamp(), claim = NULL FROM waiting
             WHERE sink = $1 AND reactor = $2 AND key = $3 AND more
         )
         DELETE FROM gnomon.outbox_keys USING waiting WHERE sink = $1 AND reactor = $2 AND key = $3 AND NOT more",
    )
    .bind(&claim.sink)
    .bind(&claim.reactor)
    .bind(&claim.key)
    .execute(connection)
    .await
    .map(drop)
}
