//! What every consumer of the log needs: a lease, a checkpoint, a policy for events that it cannot handle, and dead letters.
//!
//! This room knows neither builds nor tables.

mod batch;
mod dead_letters;
mod feed;
mod handled;
mod hosts;
mod id;
mod lease;
mod passing_over;
mod piece;
mod policy;
mod progress;
mod redelivery;
mod shared_pieces;
mod stopped;

pub use self::{
    batch::BatchSize, dead_letters::DeadLetterSummary, id::SubscriptionId, policy::OnFailure, progress::Batches,
    redelivery::Redelivery, stopped::StopError,
};
pub(crate) use self::{
    batch::{Batch, BatchEvents},
    dead_letters::{
        DeadLetter, StreamLetter, count_dead_letters, dead_letter_page, dead_letters_after, dead_letters_differ,
        letters_of_stream, overtaken, parked_streams, set_aside, take_back,
    },
    feed::{FIRST_PIECE, Feed, Wanted, follow},
    handled::{Handled, handled},
    hosts::{heartbeat, living_hosts, remove_dead_hosts, remove_host},
    lease::{HostKey, Lease, LeaseLost, Presence, acquire, prolong, release, renew, revoke},
    progress::{
        AdvanceError, Barrier, COMMIT_LOCK_TIMEOUT, HoldError, MOVE, MOVE_PARAMETERS, MOVED, Progress, Rows, Step,
        advance, batches, bind_move, checkpoint, checkpoints, clear, has_barrier, hold, insert, insert_at,
        lift_barriers, lock, lock_checkpoints, moved, progress_of, prolong_barriers, set_barriers,
    },
    redelivery::{RetryProgress, Retrying, begin_retry, note_retry, out_of_order},
    shared_pieces::SharedPieces,
};

#[cfg(test)]
mod tests;
