//! Trying dead letters again: what an operator asked for, and how far it has come.

use sqlx::PgConnection;

use super::id::SubscriptionId;
use crate::{event_log::Position, postgres::sql_text};

/// Which dead letters are tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redelivery {
    /// Those of streams of which no later event was folded: to their streams it is as if they had never failed.
    #[default]
    InOrder,
    /// All of them. A dead letter of a stream of which later events were folded is then folded out of the log's order, and
    /// counted.
    All,
}

impl Redelivery {
    fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::All => "all",
        }
    }
}

impl TryFrom<String> for Redelivery {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "in_order" => Ok(Self::InOrder),
            "all" => Ok(Self::All),
            other => Err(format!("`{other}` is not a way to try dead letters again")),
        }
    }
}

sql_text!(Redelivery);

/// Dead letters that are to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retrying {
    pub(crate) redelivery: Redelivery,
    /// Those up to this position have been tried.
    pub(crate) after: Position,
}

/// How far dead letters have been tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryProgress {
    /// Those up to this position have been tried.
    pub(crate) to: Position,
    /// Whether there are no more to try.
    pub(crate) done: bool,
    /// Events that this step folds after later ones.
    pub(crate) out_of_order: u64,
}

/// Asks for dead letters to be tried again, from the first on.
pub(crate) async fn begin_retry(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    redelivery: Redelivery,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.subscriptions SET retrying = $2, retried_to = 0 WHERE subscription = $1")
        .bind(subscription)
        .bind(redelivery)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes how far dead letters have been tried again, in the transaction that commits their effect, so that none of them is tried
/// twice after a crash.
pub(crate) async fn note_retry(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
    progress: &RetryProgress,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.subscriptions
         SET retried_to = $2, out_of_order = out_of_order + $3, retrying = CASE WHEN $4 THEN NULL ELSE retrying END
         WHERE subscription = $1",
    )
    .bind(subscription)
    .bind(progress.to)
    .bind(progress.out_of_order.cast_signed())
    .bind(progress.done)
    .execute(connection)
    .await?;
    Ok(())
}

/// How many dead letters were folded after later events.
pub(crate) async fn out_of_order(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar("SELECT out_of_order FROM gnomon.subscriptions WHERE subscription = $1")
        .bind(subscription)
        .fetch_one(connection)
        .await?;
    Ok(count.cast_unsigned())
}
