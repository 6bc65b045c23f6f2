//! What every consumer of the log needs: a host that works on it, a place in the log, what happens at an event that it cannot
//! handle, and what it has set aside.
//!
//! It knows nothing of builds, and nothing of tables.

mod dead_letters;
mod feed;
mod hosts;
mod id;
mod lease;
mod policy;
mod progress;
mod redelivery;

pub use self::{
    dead_letters::DeadLetterSummary, feed::BatchSize, id::SubscriptionId, policy::OnFailure, progress::Batches,
    redelivery::Redelivery,
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
