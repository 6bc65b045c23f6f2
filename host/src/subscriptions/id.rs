//! The number of a subscription.

use crate::postgres::sql_number;

/// The number of a subscription, unique in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub i64);

impl From<i64> for SubscriptionId {
    fn from(number: i64) -> Self {
        Self(number)
    }
}

impl From<SubscriptionId> for i64 {
    fn from(subscription: SubscriptionId) -> Self {
        subscription.0
    }
}

sql_number!(SubscriptionId(i64) as i64);
