//! What a build is: a state machine, and the one store that reads and writes it.
//!
//! This room does not know how a build is filled, nor HTTP.

mod align;
mod build;
mod changes;
mod columns;
mod commits_here;
mod history;
mod limits;
mod measures;
mod number;
mod pick;
mod read_models;
mod snapshot;
mod state;
mod store;
mod summary;
mod swap;
mod upcasters;
mod views;

pub use self::{
    align::AlignError,
    build::{Build, BuildError, BuildId, NewBuild, NewBuildPurpose, Verifies},
    changes::ChangeError,
    commits_here::CommitsHere,
    history::HistoryEntry,
    limits::{BuildLimits, TooManyBuilds},
    measures::BuildReading,
    number::{BuildName, BuildNumber},
    pick::PickError,
    read_models::{ActiveSummary, ReadModelSummary, TableSummary},
    state::{Activation, BuildState, Effect, Event, Kept, Refused, Role, Stage, State, Transition, Work, transition},
    summary::{BuildSummary, ProjectionSummary, RetiredBuilds, VerificationSummary},
    upcasters::{ActiveUpcaster, PinnedUpcaster},
    views::ViewInUse,
};
pub(crate) use self::{
    align::align,
    changes::{BeginError, Changes, ReportError, WorkerReport, report},
    history::history,
    measures::{age, readings},
    pick::{DefaultBuild, find_verification, list, pick},
    read_models::read_models,
    snapshot::Snapshot,
    store::{
        ActiveBuild, ActiveLookup, Job, OutdatedBuild, active, active_checkpoint, awaited, ensure_projection, get,
        is_active, job, lock_projection, note_waiting, notify, notify_awaited, of_projection, outdated, projections,
        running, tables,
    },
    summary::summaries,
    swap::{SWAP_TIMEOUT, Swapped, WantedBy, swap},
    upcasters::{
        active_upcasters, begin_upcaster_change, describe_upcasters, hold_upcasters, names_of, remove_active_upcaster,
        set_active_upcaster,
    },
};

#[cfg(test)]
pub(crate) mod tests;
