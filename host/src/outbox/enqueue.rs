//! Adding messages to the outbox, in the transaction of the batch that they come from.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::message::{MessageKind, NewMessage};
use crate::postgres::{ANSWER_TIMEOUT, within};

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

/// Sees to it that each key has a row, and locks it: who has sent the last message of a key deletes the row, after a look for more.
async fn lock_keys(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<(), sqlx::Error> {
    // In one order, so that no two transactions wait for each other.
    let keys: BTreeSet<_> =
        messages.iter().map(|message| (message.sink.as_str(), &message.reactor, &message.key)).collect();
    sqlx::query(
        "INSERT INTO gnomon.outbox_keys (sink, reactor, key)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
         ON CONFLICT (sink, reactor, key) DO UPDATE SET key = excluded.key",
    )
    .bind(keys.iter().map(|(sink, _, _)| *sink).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, reactor, _)| reactor.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, _, key)| key.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

async fn insert(connection: &mut PgConnection, messages: &[NewMessage]) -> Result<(), sqlx::Error> {
    let call = |message: &NewMessage| match &message.kind {
        MessageKind::Publish => None,
        MessageKind::Call { name } => Some(name.clone()),
    };
    sqlx::query(
        "INSERT INTO gnomon.outbox (id, reactor, sink, key, call, position, number, type, subject, data, time)
         SELECT id, reactor, sink, key, call, position, number, type, subject, data::json, time
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::integer[], $8::text[], $9::text[],
                     $10::text[], $11::timestamptz[])
             WITH ORDINALITY AS new (id, reactor, sink, key, call, position, number, type, subject, data, time, place)
         ORDER BY place
         ON CONFLICT (id) DO NOTHING",
    )
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
    .execute(connection)
    .await
    .map(drop)
}
