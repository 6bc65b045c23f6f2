//! Finding builds that nobody works on, and working on them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{shared::Shared, work::Work, worker::Worker};
use crate::{
    builds::{self, BuildId, ChangeError, Changes, Event},
    postgres::Notifications,
    subscriptions::{self, HostKey, Lease, Presence},
};

/// How often builds are looked for when nobody says that there are any.
const POLL: Duration = Duration::from_secs(1);

/// How often builds are looked for whose time is over.
const SWEEP: Duration = Duration::from_secs(10);

/// Looks for work until it is stopped.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    host: HostKey,
    presence: Option<Presence>,
    workers: HashMap<BuildId, Running>,
    stop: CancellationToken,
    committed: watch::Sender<u64>,
    swept: Instant,
}

/// A build that this host works on.
struct Running {
    lease: Lease,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>, stop: CancellationToken, committed: watch::Sender<u64>) -> Self {
        let host = HostKey::random();
        Self { shared, host, presence: None, workers: HashMap::new(), stop, committed, swept: Instant::now() }
    }

    pub(super) async fn run(mut self) {
        let mut notifications = Notifications::listen(self.shared.pool.clone(), "gnomon_builds");
        while !self.stop.is_cancelled() {
            if let Err(error) = self.look().await {
                warn!(%error, "cannot look for builds to work on, trying again");
            }
            self.sweep().await;
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.look_again.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                _ = notifications.next() => {}
            }
        }
        // Each worker finishes its commit and gives its lease back.
        for work in self.workers.values() {
            work.stop.cancel();
        }
        for (_, work) in self.workers.drain() {
            let _ = work.task.await;
        }
        let _ = subscriptions::remove(&self.shared.pool, self.host).await;
    }

    /// Keeps what this host works on in step with what there is to work on.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        self.show_presence().await?;
        self.workers.retain(|_, work| !work.task.is_finished());
        self.renew_leases().await?;
        let builds = builds::running(&self.shared.pool).await?;
        let hosts = subscriptions::beat(&self.shared.pool, self.host, self.shared.settings.lease).await?;
        let share = builds.len().div_ceil(hosts);
        for (build, work) in &self.workers {
            if !builds.contains(build) {
                work.stop.cancel();
            }
        }
        // What is more than a fair share is left to the others.
        for work in self.workers.values().skip(share) {
            work.stop.cancel();
        }
        for build in builds {
            if self.workers.len() >= share {
                break;
            }
            if self.workers.contains_key(&build) {
                continue;
            }
            let duration = self.shared.settings.lease;
            let Some(lease) =
                subscriptions::acquire(&self.shared.pool, self.host, build.subscription(), duration).await?
            else {
                continue;
            };
            let Some(job) = builds::job(&self.shared.pool, build).await? else { continue };
            info!(build = %job.build.id, projection = %job.build.projection, version = %job.build.version, "working on the build");
            let stop = CancellationToken::new();
            let (shared, committed) = (Arc::clone(&self.shared), self.committed.clone());
            let work = Work { shared, job, lease, stop: stop.clone(), committed };
            self.workers.insert(build, Running { lease, stop, task: tokio::spawn(Worker::new(work).run()) });
        }
        Ok(())
    }

    /// Drops what has been kept for its time.
    async fn sweep(&mut self) {
        if self.swept.elapsed() < SWEEP {
            return;
        }
        self.swept = Instant::now();
        if let Err(error) = retire_outdated(&self.shared).await {
            warn!(%error, "cannot retire builds that were replaced, trying again");
        }
        if let Err(error) = subscriptions::remove_dead(&self.shared.pool).await {
            warn!(%error, "cannot remove hosts that died, trying again");
        }
    }

    async fn show_presence(&mut self) -> Result<(), sqlx::Error> {
        if let Some(presence) = &mut self.presence
            && presence.check().await.is_ok()
        {
            return Ok(());
        }
        self.presence = None;
        self.presence = Some(Presence::show(&self.shared.pool, self.host).await?);
        Ok(())
    }

    async fn renew_leases(&mut self) -> Result<(), sqlx::Error> {
        let leases: Vec<Lease> = self.workers.values().map(|work| work.lease).collect();
        let held = subscriptions::renew(&self.shared.pool, &leases, self.shared.settings.lease).await?;
        for (build, work) in &self.workers {
            if !held.contains(&build.subscription()) {
                work.stop.cancel();
            }
        }
        Ok(())
    }
}

/// Retires builds that were replaced longer ago than they are kept, and verifying ones that nobody has removed.
async fn retire_outdated(shared: &Shared) -> Result<(), ChangeError> {
    for build in builds::outdated(&shared.pool, shared.settings.keep_replaced).await? {
        let cause = match build.verifies {
            Some(_) => "it was made to verify",
            None => "it was kept for its time after it was replaced",
        };
        let mut changes = Changes::begin(&shared.pool, &build.projection).await?;
        match changes.apply(build.id, Event::Retired, cause).await {
            Ok(_) => changes.commit().await?,
            // It has been activated again in the meantime.
            Err(ChangeError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
