//! Live queries: the rows that match now, and then what becomes of them.
//!
//! One task for each projection looks for all who follow it on this host (`hub.rs`), once for each commit that it hears of. Which rows have changed,
//! the commits note in Postgres, and only while somebody follows: see `builds/row_changes.rs`. What has changed is read in one snapshot, so followers
//! get rows as they are at one position; several commits may come as one change.

mod changed;
mod event;
mod failure;
mod follow;
mod group;
mod hub;
mod known;
mod limits;
mod look;
mod queue;
mod reading;
mod registry;

pub(super) use self::registry::LiveQueries;
pub use self::{
    event::{LiveBatch, LiveEvent, LiveId, RowChange, SnapshotReason},
    limits::{
        LIVE_STATEMENT_TIMEOUT, MAX_CHANGED_ROWS, MAX_LIVE_BYTES, MAX_LIVE_QUERIES, MAX_LIVE_ROWS_IN_SUM,
        MAX_WAITING_BYTES, MAX_WAITING_BYTES_IN_SUM,
    },
    queue::LiveRows,
    registry::LiveLoad,
};
