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
mod on_failure;
mod outdated;
mod past;
mod past_limits;
mod pick;
mod read_models;
mod row_changes;
mod snapshot;
mod stale;
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
    measures::{BuildReading, BuildSize},
    number::{BuildName, BuildNumber},
    past::PastSummary,
    past_limits::{PastLimits, TooManyPastBuilds},
    pick::PickError,
    read_models::{ActiveSummary, ReadModelSummary, TableSummary},
    row_changes::{MAX_NOTED_COMMITS, NOTES_KEPT},
    state::{Activation, BuildState, Effect, Event, Kept, Refused, Role, Stage, State, Transition, Work, transition},
    summary::{BuildSummary, ProjectionSummary, RetiredBuilds, VerificationSummary},
    upcasters::{ActiveUpcaster, PinnedUpcaster},
    views::ViewInUse,
};
pub(crate) use self::{
    align::align,
    changes::{BeginError, Changes, ReportError, WorkerReport, report},
    history::history,
    measures::{age, readings, sizes},
    on_failure::on_failure,
    outdated::{OutdatedBuild, outdated, outdated_past},
    past::{
        FoundPast, Lineage, LineageLookup, begin_past_builds, bytes_of, find_past, lineage, note_asked, past_build,
        past_summaries, past_tables, past_uses,
    },
    past_limits::{PastRoom, room_for},
    pick::{DefaultBuild, find_verification, list, pick},
    read_models::read_models,
    row_changes::{
        ChangesBetween, FollowedBuild, Following, changes_between, followed_build, remove_old_notes, say_followed,
    },
    snapshot::Snapshot,
    stale::{begun_before, remove_row_changes},
    store::{
        ActiveBuild, ActiveLookup, Job, active, active_checkpoint, awaited, ensure_projection, get, is_active, job,
        lock_projection, note_waiting, notify, notify_awaited, of_projection, projections, running, tables,
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
