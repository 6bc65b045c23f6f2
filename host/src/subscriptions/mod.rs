//! What every consumer of the log needs: a lease, a checkpoint, a policy for events that it cannot handle, and dead letters.
//!
//! This room knows neither builds nor tables.

mod dead_letters;
mod feed;
mod handled;
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
    dead_letters::{
        DeadLetter, count_dead_letters, dead_letter_page, dead_letters_after, dead_letters_differ, overtaken,
        parked_streams, set_aside, take_back,
    },
    feed::{Batch, FIRST_PIECE, Feed, follow},
    handled::{Handled, handled},
    hosts::{heartbeat, living_hosts, remove_dead_hosts, remove_host},
    lease::{HostKey, Lease, LeaseLost, Presence, acquire, prolong, release, renew, revoke},
    progress::{
        AdvanceError, Barrier, COMMIT_LOCK_TIMEOUT, HoldError, MOVE, MOVE_PARAMETERS, Progress, Rows, Step, advance,
        batches, bind_move, checkpoint, checkpoints, clear, has_barrier, hold, insert, lift_barriers, lock,
        lock_checkpoints, progress_of, prolong_barriers, set_barriers,
    },
    redelivery::{RetryProgress, Retrying, begin_retry, note_retry, out_of_order},
};
