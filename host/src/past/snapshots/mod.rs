//! Snapshots: the rows of a stream at some of its versions, so that its past need not be folded from the first event.
//!
//! They are taken while the past is asked for, and never by a build: a replay pays nothing for them. A snapshot is a copy of what the events give
//! with one logic. It is known by the code of that logic and by its event, so that no other logic and no other log finds it; where its bytes are
//! not what was written, it is not used.

mod keeper;
mod lineage;
mod spacing;
mod store;

pub(super) use self::{
    keeper::Keeper,
    lineage::Lineage,
    spacing::{Spacing, Taken},
    store::{StoredSnapshot, of_stream, remove, remove_stream, some_streams},
};

pub use self::spacing::MAX_SNAPSHOT_BYTES;
