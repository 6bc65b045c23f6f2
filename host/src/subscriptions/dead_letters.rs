//! Events set aside.

use std::collections::HashSet;

use gnomon_values::Instant;
use sqlx::{PgConnection, PgPool, types::Json};

use super::id::SubscriptionId;
use crate::{
    event_log::{NameFilter, Position},
    postgres::PgTimestamp,
    runtime::{Delivery, ModuleFailure},
};

/// An event that is about to be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) position: Position,
    stream: String,
    event_type: String,
    /// Whether later events of the stream wait behind it.
    parked: bool,
    /// None if it only waits.
    failure: Option<ModuleFailure>,
}

impl DeadLetter {
    /// An event that the module could not handle.
    pub(crate) fn failed(event: &Delivery, failure: ModuleFailure, parked: bool) -> Self {
        Self { failure: Some(failure), parked, ..Self::waiting(event) }
    }

    /// An event that waits behind one of its stream.
    pub(crate) fn waiting(event: &Delivery) -> Self {
        Self {
            position: event.position,
            stream: event.stream.clone(),
            event_type: event.event_type.clone(),
            parked: true,
            failure: None,
        }
    }

    /// What the module did; none if the event only waits.
    pub(crate) fn failure(&self) -> Option<&ModuleFailure> {
        self.failure.as_ref()
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
    /// What the module did; none if the event only waits behind one of its stream.
    pub error: Option<ModuleFailure>,
    /// When it was set aside.
    pub set_aside_at: Instant,
}

#[derive(sqlx::FromRow)]
struct LetterRow {
    position: Position,
    stream: String,
    event_type: String,
    parked: bool,
    error: Option<Json<ModuleFailure>>,
    set_aside_at: PgTimestamp,
}

impl LetterRow {
    fn summary(self) -> DeadLetterSummary {
        let Self { position, stream, event_type, parked, error, set_aside_at } = self;
        let (error, set_aside_at) = (error.map(|error| error.0), set_aside_at.instant());
        DeadLetterSummary { position, stream, event_type, parked, error, set_aside_at }
    }
}

/// Sets events aside, those of them that are not already; answers how many there are now.
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
    .bind(letters.iter().map(|letter| letter.parked).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.failure.as_ref().map(Json)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    count(connection, subscription).await
}

/// Takes events back that are set aside.
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
pub(crate) async fn count(connection: &mut PgConnection, subscription: SubscriptionId) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.dead_letters WHERE subscription = $1")
        .bind(subscription)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The streams of which an event was folded that comes after one that is set aside, and how many of each are set aside. Only
/// events of these types count.
pub(crate) async fn overtaken(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    types: &NameFilter,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let streams: Vec<(String, i64)> = sqlx::query_as(
        "SELECT stream, letters
         FROM (SELECT stream, min(position) AS first, count(*) AS letters FROM gnomon.dead_letters
               WHERE subscription = $1 GROUP BY stream) AS waiting
         WHERE EXISTS (
             SELECT FROM gnomon.events AS event
             WHERE event.stream = waiting.stream AND event.position > waiting.first
               AND event.position <= (SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1)
               AND ($2::text[] IS NULL OR event.type = ANY($2))
               AND NOT EXISTS (SELECT FROM gnomon.dead_letters AS letter
                               WHERE letter.subscription = $1 AND letter.position = event.position))",
    )
    .bind(subscription)
    .bind(types.names())
    .fetch_all(connection)
    .await?;
    Ok(streams.into_iter().map(|(stream, letters)| (stream, u64::try_from(letters).unwrap_or_default())).collect())
}

/// Whether two subscriptions have set aside different events, up to a position.
pub(crate) async fn differ(
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

/// The events set aside, in their order, behind `after`: position and stream.
pub(crate) async fn letters(
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

/// The events that a subscription has set aside, in their order, behind `after`.
pub(crate) async fn page(
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
