//! The work on one reactor: what it needs, and what it reports.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{settings::ReactorSettings, stop::Stop};
use crate::{
    event_log::EventLog,
    folding::{FoldingThreads, RowMemory},
    metrics::OneReactorMeasures,
    modules::Modules,
    outbox::Outbox,
    postgres::begin_waiting,
    reactors::{self, Job, Report},
    subscriptions::{DeadLetter, HostKey, Lease},
};

/// How long a report waits for a lock.
const REPORT_LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// What the workers of a host share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: PgPool,
    pub(super) log: EventLog,
    pub(super) modules: Modules,
    pub(super) outbox: Outbox,
    pub(super) host: HostKey,
    pub(super) settings: ReactorSettings,
    pub(super) folding: FoldingThreads,
    pub(super) rows: RowMemory,
    /// Wakes the supervisor of this host.
    pub(super) look_again: Arc<Notify>,
}

/// The work on a reactor, by the holder of its lease.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) stop: CancellationToken,
    pub(super) measures: OneReactorMeasures,
}

impl Work {
    /// Stores how the work ended, if the lease is held.
    pub(super) async fn report(&self, report: &Report) -> Result<(), Stop> {
        let (mut transaction, _) = begin_waiting(&self.shared.pool, REPORT_LOCK_TIMEOUT).await?;
        reactors::report(&mut transaction, self.lease, report).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Logs events that were set aside because the module cannot handle them.
    pub(super) fn log_set_aside(&self, letters: &[DeadLetter]) {
        let reactor = &self.job.reactor;
        for letter in letters {
            if let Some(failure) = letter.failure() {
                let (stream, position) = (letter.stream(), letter.position);
                warn!(reactor = %reactor.name, version = %reactor.version, %position, stream, %failure, "an event is set aside");
            }
        }
    }
}
