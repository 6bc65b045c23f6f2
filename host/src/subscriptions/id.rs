//! What a subscription is called.

/// The number of a subscription, unique in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub i64);

/// The numbers of subscriptions, as Postgres takes them.
pub(super) fn numbers(subscriptions: &[SubscriptionId]) -> Vec<i64> {
    subscriptions.iter().map(|subscription| subscription.0).collect()
}
