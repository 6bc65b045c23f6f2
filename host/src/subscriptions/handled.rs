//! How many events of each type a subscription has handled.

use std::borrow::Borrow;

use hashbrown::HashMap;
use sqlx::PgConnection;

use super::id::SubscriptionId;
use crate::runtime::Delivery;

/// Events that were handled, by their types as the module got them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handled(HashMap<String, u64>);

impl Handled {
    /// Counts events.
    pub(crate) fn count<E: Borrow<Delivery>>(&mut self, events: &[E]) {
        // Events of one type often follow each other.
        for same in events.chunk_by(|one, next| one.borrow().event_type == next.borrow().event_type) {
            *self.0.entry_ref(&*same[0].borrow().event_type).or_default() += same.len() as u64;
        }
    }

    /// Adds the events of another count.
    pub(crate) fn merge(&mut self, other: Self) {
        for (event_type, events) in other.0 {
            *self.0.entry(event_type).or_default() += events;
        }
    }

    /// The types, and the number of events of each.
    pub(crate) fn columns(&self) -> (Vec<&str>, Vec<i64>) {
        self.0.iter().map(|(event_type, events)| (event_type.as_str(), events.cast_signed())).unzip()
    }
}

/// How many events of each type a subscription has handled, by type.
pub(crate) async fn handled(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT type, events FROM gnomon.handled_events WHERE subscription = $1 ORDER BY type")
            .bind(subscription)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(event_type, events)| (event_type, events.cast_unsigned())).collect())
}
