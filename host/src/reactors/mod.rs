//! What a reactor is: its state, what Postgres keeps of it, and what may be changed about it.
//!
//! A reactor is a module that answers events with effects. It has one subscription and one version that works, and rows of its own. How its events
//! are handled, and its effects carried out, is decided elsewhere.

mod changes;
mod deploy;
mod history;
mod measures;
mod own_events;
mod reactor;
mod schedules;
mod state;
mod store;
mod summary;

pub use self::{
    changes::ChangeError,
    deploy::{DeployError, Deployed},
    history::HistoryEntry,
    measures::ReactorReading,
    reactor::{Reactor, ReactorId},
    state::{Event, Refused, Work},
    summary::ReactorSummary,
};
pub(crate) use self::{
    changes::{Report, ReportError, change, delete, report, set_on_failure, set_upcasters},
    deploy::{Release, deploy},
    history::{Change, history, note},
    measures::readings,
    own_events::{OwnEventError, append_refused, schedule_due},
    schedules::{Schedule, ScheduleChange, change_schedules, next_due, take_due},
    store::{Job, all, get, job, on_failure, running},
    summary::summaries,
};
