//! Adding messages to the outbox, in the transaction of the batch that they come from.

use std::collections::BTreeSet;

use sqlx::{
    PgConnection, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use super::{
    claim::ClaimedKey,
    message::{MessageKind, NewMessage},
    reservation::Reservation,
    sink_name::SinkName,
};
use crate::postgres::{ANSWER_TIMEOUT, within};

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Adds messages, in their order. They are sent when the caller's transaction is committed, and only then; hosts find them within a second, and
/// this one at once if [`Outbox::wake`](super::Outbox::wake) is called after the commit. A message whose id is in the outbox already is not added again.
///
/// It locks the keys of the messages until the transaction ends. So it belongs towards its end, and no other lock that a delivery takes may be asked
/// for after it: a delivery holds nothing but the lock of one key.
///
/// # Errors
/// Postgres fails.
pub async fn enqueue(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<(), sqlx::Error> {
    if messages.is_empty() {
        return Ok(());
    }
    within(ANSWER_TIMEOUT, "the keys of messages", lock_keys(connection, messages)).await?;
    within(ANSWER_TIMEOUT, "messages for the outbox", insert(connection, messages)).await
}

/// A key behind which messages are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'m> {
    sink: &'m SinkName,
    reactor: &'m str,
    key: &'m str,
}

impl<'m> Key<'m> {
    fn of(message: &'m NewMessage) -> Self {
        Self { sink: &message.sink, reactor: &message.reactor, key: &message.key }
    }
}

/// The keys of messages, in one order, so that no two transactions wait for each other.
fn keys_of(messages: &[NewMessage]) -> BTreeSet<Key<'_>> {
    messages.iter().map(Key::of).collect()
}

/// Sees to it that each key has a row, and locks it: who has sent the last message of a key deletes the row, after a look for more.
async fn lock_keys(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<(), sqlx::Error> {
    let keys = keys_of(messages);
    sqlx::query(
        "INSERT INTO gnomon.outbox_keys (sink, reactor, key)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
         ON CONFLICT (sink, reactor, key) DO UPDATE SET key = excluded.key",
    )
    .bind(keys.iter().map(|key| key.sink.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.reactor).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.key).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

/// Columns of new messages, and the types of their arrays, in the order in which [`bind_messages`] binds them.
const COLUMNS: [(&str, &str); 12] = [
    ("id", "uuid"),
    ("reactor", "text"),
    ("sink", "text"),
    ("key", "text"),
    ("call", "text"),
    ("position", "bigint"),
    ("number", "integer"),
    ("type", "text"),
    ("subject", "text"),
    ("data", "text"),
    ("time", "timestamptz"),
    ("traceparent", "text"),
];

/// Adds what stands in arrays, the first of which is the parameter `first`, in their order; `from` stands before them.
fn insert_sql(from: &str, first: usize) -> String {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let values = names.replace("data", "data::json");
    let arrays = COLUMNS.iter().zip(first..).map(|((_, array), number)| format!("${number}::{array}[]"));
    let arrays = arrays.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO gnomon.outbox ({names}) SELECT {values} FROM {from} unnest({arrays}) WITH ORDINALITY AS new ({names}, place)
         ORDER BY place ON CONFLICT (id) DO NOTHING"
    )
}

fn bind_messages<'q>(statement: Statement<'q>, messages: &'q [NewMessage]) -> Statement<'q> {
    let call = |message: &'q NewMessage| match &message.kind {
        MessageKind::Publish => None,
        MessageKind::Call { name } => Some(name.as_str()),
    };
    statement
        .bind(messages.iter().map(|message| message.id).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.reactor.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.sink.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.key.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(call).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.position).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| i32::try_from(message.number).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.message_type.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.subject.as_deref()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.data.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.time).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.traceparent.as_deref()).collect::<Vec<_>>())
}

async fn insert(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<(), sqlx::Error> {
    let text = insert_sql("", 1);
    bind_messages(sqlx::query(&text), messages).execute(connection).await.map(drop)
}

/// Parts of a statement that add messages, and claim the keys that are new and reserved, if its part `condition` has a row, and what the statement
/// selects then: a row at least, with the columns `shown` first and then those of a [`ClaimedKey`]. The first has the parameter `first`. In which order
/// the keys are locked and the messages are added does not matter, since both are there when the statement ends: whoever removes the row of a key in
/// between does so before the row is made again.
pub(crate) fn enqueue_parts(condition: &str, shown: &str, first: usize) -> String {
    let [sinks, reactors, keys, seconds, claim] = [0, 1, 2, 3, 4].map(|number| first + number);
    let insert = insert_sql(&format!("{condition},"), first + 5);
    format!(
        ", keyed AS (
             INSERT INTO gnomon.outbox_keys (sink, reactor, key, due_at, claim)
             SELECT sink, reactor, key, clock_timestamp() + make_interval(secs => coalesce(seconds, 0)),
                 CASE WHEN seconds IS NOT NULL THEN ${claim}::uuid END
             FROM {condition}, unnest(${sinks}::text[], ${reactors}::text[], ${keys}::text[], ${seconds}::float8[])
                 WITH ORDINALITY AS new (sink, reactor, key, seconds, place)
             ORDER BY place
             ON CONFLICT (sink, reactor, key) DO UPDATE SET key = excluded.key
             RETURNING sink, reactor, key, claim
         ), enqueued AS ({insert} RETURNING message, id, sink, reactor, key)
         SELECT {shown}, keyed.sink, keyed.reactor, keyed.key, first.message, first.id
         FROM {condition} LEFT JOIN keyed ON keyed.claim = ${claim}::uuid
         LEFT JOIN LATERAL (
             SELECT message, id FROM enqueued
             WHERE enqueued.sink = keyed.sink AND enqueued.reactor = keyed.reactor AND enqueued.key = keyed.key
             ORDER BY message LIMIT 1
         ) AS first ON true"
    )
}

/// Binds the parameters of [`enqueue_parts`].
pub(crate) fn bind_parts<'q>(
    statement: Statement<'q>,
    messages: &'q [NewMessage],
    reservation: &Reservation,
) -> Statement<'q> {
    let keys = keys_of(messages);
    let statement = statement
        .bind(keys.iter().map(|key| key.sink.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.reactor).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.key).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| reservation.seconds(key.sink)).collect::<Vec<_>>())
        .bind(reservation.claim);
    bind_messages(statement, messages)
}

/// The keys that a statement with [`enqueue_parts`] has claimed. Its other columns are so many.
pub(crate) fn claimed_keys(rows: &[PgRow], others: usize) -> Result<Vec<ClaimedKey>, sqlx::Error> {
    let mut claimed = Vec::new();
    for row in rows {
        // Without one that was claimed, there is one row of nulls.
        let Some(sink) = row.try_get::<Option<SinkName>, _>(others)? else { continue };
        let (reactor, key) = (row.try_get(others + 1)?, row.try_get(others + 2)?);
        let (message, id): (Option<i64>, Option<Uuid>) = (row.try_get(others + 3)?, row.try_get(others + 4)?);
        claimed.push(ClaimedKey { sink, reactor, key, first: message.zip(id) });
    }
    Ok(claimed)
}
