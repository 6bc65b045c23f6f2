//! What a build is: a state machine, and the one store that keeps it.
//!
//! It knows nothing of how a build is filled, and nothing of HTTP.

mod align;
mod build;
mod changes;
mod columns;
mod history;
mod pick;
mod snapshot;
mod state;
mod store;
mod summary;
mod swap;
mod upcasters;
mod views;

pub use self::{
    align::AlignError,
    build::{Build, BuildError, BuildId, NewBuild, Verifies},
    changes::ChangeError,
    history::HistoryEntry,
    pick::PickError,
    state::{Activation, BuildState, Effect, Event, Kept, Refused, Role, Stage, State, Transition, Work, transition},
    summary::{BuildSummary, ProjectionSummary, Purpose},
    upcasters::{ActiveUpcaster, PinnedUpcaster},
};
pub(crate) use self::{
    align::align,
    changes::{Changes, TellError, tell},
    history::history,
    pick::{Meant, list, pick},
    snapshot::Snapshot,
    store::{
        ActiveBuild, Job, active, active_checkpoint, get, is_active, job, notify, of_projection, outdated, projections,
        running, tables,
    },
    summary::summaries,
    swap::{HOLD, Swapped, swap},
    upcasters::{
        active_upcasters, begin_upcaster_change, describe_upcasters, hold_upcasters, names_of, remove_active_upcaster,
        set_active_upcaster,
    },
};

#[cfg(test)]
pub(crate) mod tests;
