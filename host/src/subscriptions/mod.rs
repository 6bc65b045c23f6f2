//! What every consumer of the log needs: a host that works on it, a place in the log, what happens at an event that it cannot
//! handle, and what it has set aside.
//!
//! It knows nothing of builds, and nothing of tables.

mod dead_letters;
mod feed;
mod hosts;
mod lease;
mod policy;
mod progress;
mod redelivery;

use serde::{Deserialize, Serialize};

pub use self::{
    dead_letters::DeadLetterSummary, feed::BatchSize, policy::OnFailure, progress::Batches, redelivery::Redelivery,
};
pub(crate) use self::{
    dead_letters::{DeadLetter, count, differ, letters, overtaken, page, parked_streams, set_aside, take_back},
    feed::{Batch, FIRST_BATCH, follow},
    hosts::{beat, remove, remove_dead},
    lease::{HostKey, Lease, Presence, acquire, release, renew, revoke},
    progress::{
        AdvanceError, Barrier, Progress, Step, advance, barrier_stands, batches, checkpoint, checkpoints, clear, hold,
        insert, lift_barriers, lock, progress_of, prolong_barriers, set_barriers, stand_still,
    },
    redelivery::{RetryProgress, Retrying, begin_retry, note_retry, out_of_order},
};

/// The number of a subscription, unique in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub i64);

/// The numbers of subscriptions, as Postgres takes them.
fn numbers(subscriptions: &[SubscriptionId]) -> Vec<i64> {
    subscriptions.iter().map(|subscription| subscription.0).collect()
}
