//! Dead letters: the events that a subscription has set aside.

use std::collections::HashSet;

use gnomon_values::Instant;
use serde_json::json;
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};

use super::id::SubscriptionId;
use crate::{
    event_log::{EventQuery, EventType, Filter, Position, QueryItem, Tag},
    postgres::{PgTimestamp, sql_row},
    runtime::{Delivery, ModuleFailure},
};

/// An event that is about to be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) position: Position,
    stream: String,
    event_type: String,
    reason: Reason,
}

/// Why an event is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    /// The module failed at it; later events of its stream are folded.
    Skipped(ModuleFailure),
    /// The module failed at it; later events of its stream wait behind it.
    Parked(ModuleFailure),
    /// It waits behind an earlier event of its stream, and later ones wait as well.
    Waiting,
}

impl DeadLetter {
    /// An event that the module could not handle, and that later events of its stream do not wait for.
    pub(crate) fn skipped(event: &Delivery, failure: ModuleFailure) -> Self {
        Self::new(event, Reason::Skipped(failure))
    }

    /// An event that the module could not handle, and that later events of its stream wait for.
    pub(crate) fn parked(event: &Delivery, failure: ModuleFailure) -> Self {
        Self::new(event, Reason::Parked(failure))
    }

    /// An event that waits behind an earlier one of its stream.
    pub(crate) fn waiting(event: &Delivery) -> Self {
        Self::new(event, Reason::Waiting)
    }

    fn new(event: &Delivery, reason: Reason) -> Self {
        // Copies: a part of the batch would keep all of it in memory.
        let (stream, event_type) = (event.stream.to_string(), event.event_type.to_string());
        Self { position: event.position, stream, event_type, reason }
    }

    /// What the module did, or `None` if the event only waits.
    pub(crate) fn failure(&self) -> Option<&ModuleFailure> {
        match &self.reason {
            Reason::Skipped(failure) | Reason::Parked(failure) => Some(failure),
            Reason::Waiting => None,
        }
    }

    fn keeps_stream_waiting(&self) -> bool {
        !matches!(self.reason, Reason::Skipped(_))
    }

    /// The event's stream.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }
}

/// An event set aside, as users see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterSummary {
    /// The event's position.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its type.
    pub event_type: String,
    /// Whether later events of the stream wait behind it.
    pub parked: bool,
    /// What the module did, or `None` if the event only waits behind one of its stream.
    pub error: Option<ModuleFailure>,
    /// When it was set aside.
    pub set_aside_at: Instant,
}

struct LetterRow {
    position: Position,
    stream: String,
    event_type: String,
    parked: bool,
    error: Option<Json<ModuleFailure>>,
    set_aside_at: PgTimestamp,
}

sql_row!(LetterRow { position, stream, event_type, parked, error, set_aside_at });

impl LetterRow {
    fn summary(self) -> DeadLetterSummary {
        let Self { position, stream, event_type, parked, error, set_aside_at } = self;
        let (error, set_aside_at) = (error.map(|error| error.0), set_aside_at.instant());
        DeadLetterSummary { position, stream, event_type, parked, error, set_aside_at }
    }
}

/// Sets events aside, with their new reason if they are set aside already. Returns how many the subscription has set aside now.
pub(crate) async fn set_aside(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    letters: &[DeadLetter],
) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "INSERT INTO gnomon.dead_letters (subscription, position, stream, event_type, parked, error)
         SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::jsonb[])
         ON CONFLICT (subscription, position) DO UPDATE SET error = excluded.error, parked = excluded.parked",
    )
    .bind(subscription)
    .bind(letters.iter().map(|letter| letter.position).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.stream.as_str()).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.event_type.as_str()).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.keeps_stream_waiting()).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.failure().map(Json)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    count_dead_letters(connection, subscription).await
}

/// Deletes the dead letters at these positions.
pub(crate) async fn take_back(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    positions: &[Position],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.dead_letters WHERE subscription = $1 AND position = ANY($2)")
        .bind(subscription)
        .bind(positions)
        .execute(connection)
        .await?;
    Ok(())
}

/// The streams whose events wait behind one that failed, at or before a position.
pub(crate) async fn parked_streams(
    pool: &PgPool,
    subscription: SubscriptionId,
    to: Position,
) -> Result<HashSet<String>, sqlx::Error> {
    let streams: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT stream FROM gnomon.dead_letters WHERE subscription = $1 AND parked AND position <= $2",
    )
    .bind(subscription)
    .bind(to)
    .fetch_all(pool)
    .await?;
    Ok(streams.into_iter().collect())
}

/// How many events a subscription has set aside.
pub(crate) async fn count_dead_letters(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.dead_letters WHERE subscription = $1")
        .bind(subscription)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The streams of which an event was folded that comes after a dead letter of the stream, each with the number of its dead
/// letters. Only events that the filter lets through count.
pub(crate) async fn overtaken(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    filter: &Filter,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let query = filter.query.as_ref().map(|EventQuery { items }| {
        let item = |QueryItem { types, tags }: &QueryItem| {
            let types: Vec<&str> = types.iter().map(EventType::as_str).collect();
            let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
            json!({"types": types, "tags": tags})
        };
        Json(items.iter().map(item).collect::<Vec<_>>())
    });
    let streams: Vec<(String, i64)> = sqlx::query_as(
        "SELECT stream, letters
         FROM (SELECT stream, min(position) AS first, count(*) AS letters FROM gnomon.dead_letters
               WHERE subscription = $1 GROUP BY stream) AS waiting
         WHERE EXISTS (
             SELECT FROM gnomon.events AS event
             WHERE event.stream = waiting.stream AND event.position > waiting.first
               AND event.position <= (SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1)
               AND ($2::text[] IS NULL OR event.type = ANY($2))
               AND ($3::jsonb IS NULL OR EXISTS (
                   SELECT FROM jsonb_to_recordset($3) AS item(types text[], tags text[])
                   WHERE (item.types = '{}' OR event.type = ANY(item.types)) AND coalesce(event.tags, '{}') @> item.tags))
               AND NOT EXISTS (SELECT FROM gnomon.dead_letters AS letter
                               WHERE letter.subscription = $1 AND letter.position = event.position))",
    )
    .bind(subscription)
    .bind(filter.types.names())
    .bind(query)
    .fetch_all(connection)
    .await?;
    Ok(streams.into_iter().map(|(stream, letters)| (stream, u64::try_from(letters).unwrap_or_default())).collect())
}

/// Whether two subscriptions have set different events aside, up to and with a position.
pub(crate) async fn dead_letters_differ(
    connection: &mut PgConnection,
    left: SubscriptionId,
    right: SubscriptionId,
    to: Position,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM gnomon.dead_letters WHERE subscription IN ($1, $2) AND position <= $3
                        GROUP BY position HAVING count(*) = 1)",
    )
    .bind(left)
    .bind(right)
    .bind(to)
    .fetch_one(connection)
    .await
}

/// An event of a stream that is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamLetter {
    pub(crate) position: Position,
    /// Whether later events of the stream wait behind it.
    pub(crate) parked: bool,
    /// What the module did, or `None` if the event only waits.
    pub(crate) error: Option<ModuleFailure>,
}

/// The checkpoint of a subscription, and the first `limit` events of a stream that it has set aside up to there. All at one instant: an event
/// up to the checkpoint that is not among them was folded. `None` if there is no such subscription.
pub(crate) async fn letters_of_stream(
    connection: impl PgExecutor<'_>,
    subscription: SubscriptionId,
    stream: &str,
    limit: usize,
) -> Result<Option<(Position, Vec<StreamLetter>)>, sqlx::Error> {
    type Letter = (Option<Position>, Option<bool>, Option<Json<ModuleFailure>>);
    let rows: Vec<(Position, Option<Position>, Option<bool>, Option<Json<ModuleFailure>>)> = sqlx::query_as(
        "SELECT checkpoint, letter.position, parked, letter.error FROM gnomon.subscriptions
         LEFT JOIN LATERAL (
             SELECT position, parked, error FROM gnomon.dead_letters
             WHERE dead_letters.subscription = $1 AND stream = $2 ORDER BY position LIMIT $3
         ) AS letter ON true
         WHERE subscriptions.subscription = $1 ORDER BY letter.position",
    )
    .bind(subscription)
    .bind(stream)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let Some((checkpoint, ..)) = rows.first() else { return Ok(None) };
    let checkpoint = *checkpoint;
    let letter = |(position, parked, error): Letter| {
        Some(StreamLetter { position: position?, parked: parked?, error: error.map(|error| error.0) })
    };
    let letters = rows.into_iter().filter_map(|(_, position, parked, error)| letter((position, parked, error)));
    Ok(Some((checkpoint, letters.collect())))
}

/// Position and stream of the first `limit` dead letters behind `after`, by position.
pub(crate) async fn dead_letters_after(
    pool: &PgPool,
    subscription: SubscriptionId,
    after: Position,
    limit: usize,
) -> Result<Vec<(Position, String)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT position, stream FROM gnomon.dead_letters WHERE subscription = $1 AND position > $2 ORDER BY position LIMIT $3",
    )
    .bind(subscription)
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
}

/// The first `limit` dead letters behind `after`, by position, as users see them.
pub(crate) async fn dead_letter_page(
    pool: &PgPool,
    subscription: SubscriptionId,
    after: Position,
    limit: usize,
) -> Result<Vec<DeadLetterSummary>, sqlx::Error> {
    let rows: Vec<LetterRow> = sqlx::query_as(
        "SELECT position, stream, event_type, parked, error, set_aside_at FROM gnomon.dead_letters
         WHERE subscription = $1 AND position > $2 ORDER BY position LIMIT $3",
    )
    .bind(subscription)
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(LetterRow::summary).collect())
}
