//! The supervisor of a host: it takes the leases of builds that no host works on, and starts a worker for each.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{shared::Shared, stop::Stop, work::Work, worker::Worker};
use crate::{
    builds::{self, Build, BuildId, BuildName, ChangeError, Changes, Event, OutdatedBuild},
    postgres::{Notifications, is_transient},
    subscriptions::{self, HostKey, Lease, Presence},
};

/// How often builds are looked for without a notification.
const POLL: Duration = Duration::from_secs(1);

/// How often outdated builds and dead hosts are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// Looks for builds to work on until it is stopped.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    host: HostKey,
    presence: Option<Presence>,
    notifications: Notifications,
    workers: HashMap<BuildId, Running>,
    stop: CancellationToken,
    committed: watch::Sender<u64>,
    swept: Instant,
    /// Builds whose rows in Postgres cannot be decoded, with the error that was logged.
    undecodable: HashMap<BuildId, String>,
}

/// A build that this host works on.
struct Running {
    build: Build,
    lease: Lease,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Opens the connections that it keeps: one that shows that this host lives, one to listen.
    pub(super) async fn open(
        shared: Arc<Shared>,
        stop: CancellationToken,
        committed: watch::Sender<u64>,
    ) -> Result<Self, sqlx::Error> {
        let host = HostKey::random();
        let presence = Presence::show(&shared.pool, host).await?;
        let notifications = Notifications::listen(shared.pool.clone(), "gnomon_builds").await?;
        Ok(Self {
            shared,
            host,
            presence: Some(presence),
            notifications,
            workers: HashMap::new(),
            stop,
            committed,
            swept: Instant::now(),
            undecodable: HashMap::new(),
        })
    }

    pub(super) async fn run(mut self) {
        // A lease is renewed at least three times while it lasts.
        let poll = POLL.min(self.shared.settings.lease / 3);
        while !self.stop.is_cancelled() {
            if let Err(error) = self.look().await {
                warn!(%error, "cannot look for builds to work on, trying again");
            }
            self.sweep().await;
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.look_again.notified() => {}
                () = tokio::time::sleep(poll) => {}
                _ = self.notifications.next() => {}
            }
        }
        // Each worker finishes its commit and gives its lease back.
        for work in self.workers.values() {
            work.stop.cancel();
        }
        for (_, work) in self.workers.drain() {
            log_panic(&work.build, work.task.await);
        }
        // Ignores a failure: a host that has no session does not count any more.
        let _ = subscriptions::remove_host(&self.shared.pool, self.host).await;
    }

    /// Stops the workers of builds that are not running, and starts workers for running builds whose leases are free.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        self.show_presence().await?;
        self.drop_ended_workers();
        self.renew_leases().await?;
        let builds = builds::running(&self.shared.pool).await?;
        let hosts = subscriptions::heartbeat(&self.shared.pool, self.host, self.shared.settings.lease).await?;
        let share = builds.len().div_ceil(hosts);
        for (build, work) in &self.workers {
            if !builds.contains(build) {
                work.stop.cancel();
            }
        }
        // Builds beyond this host's share are left to the other hosts.
        for work in self.workers.values().skip(share) {
            work.stop.cancel();
        }
        self.undecodable.retain(|build, _| builds.contains(build));
        for build in builds {
            if self.workers.len() >= share {
                break;
            }
            if !self.workers.contains_key(&build) {
                self.start_worker(build).await?;
            }
        }
        Ok(())
    }

    /// Takes the lease of a build and starts a worker for it, unless another host has the lease or the build is not running.
    ///
    /// A build that cannot be decoded is logged and left alone, so that it does not keep the host from the other builds.
    async fn start_worker(&mut self, build: BuildId) -> Result<(), sqlx::Error> {
        let (pool, duration) = (&self.shared.pool, self.shared.settings.lease);
        let Some(lease) = subscriptions::acquire(pool, self.host, build.subscription(), duration).await? else {
            return Ok(());
        };
        let job = match builds::job(pool, build).await {
            Ok(Some(job)) => job,
            // It was stopped in between.
            Ok(None) => return subscriptions::release(pool, lease).await,
            Err(error) if is_transient(&error) => return Err(error),
            Err(error) => {
                subscriptions::release(pool, lease).await?;
                let error = error.to_string();
                if self.undecodable.get(&build) != Some(&error) {
                    // Its number is among what cannot be decoded.
                    error!(tables = %build.schema(), error, "a build cannot be decoded, and is left alone");
                    self.undecodable.insert(build, error);
                }
                return Ok(());
            }
        };
        self.undecodable.remove(&build);
        let found = job.build.clone();
        info!(build = %found.name(), projection = %found.projection, version = %found.version, "working on the build");
        let stop = CancellationToken::new();
        let (shared, committed) = (Arc::clone(&self.shared), self.committed.clone());
        let work = Work { shared, job, lease, stop: stop.clone(), committed };
        self.workers.insert(build, Running { build: found, lease, stop, task: tokio::spawn(Worker::new(work).run()) });
        Ok(())
    }

    fn drop_ended_workers(&mut self) {
        self.workers.retain(|_, work| match (&mut work.task).now_or_never() {
            Some(ended) => {
                log_panic(&work.build, ended);
                false
            }
            None => true,
        });
    }

    /// Retires outdated builds, and removes dead hosts.
    async fn sweep(&mut self) {
        if self.swept.elapsed() < SWEEP_INTERVAL {
            return;
        }
        self.swept = Instant::now();
        if let Err(error) = retire_outdated(&self.shared).await {
            warn!(%error, "cannot look for outdated builds, trying again");
        }
        if let Err(error) = subscriptions::remove_dead_hosts(&self.shared.pool).await {
            warn!(%error, "cannot remove dead hosts, trying again");
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

/// Logs that a worker ended by a panic: one outside of its runs, which catch their own.
fn log_panic(build: &Build, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        let stop = Stop::from(error);
        error!(build = %build.name(), projection = %build.projection, ?stop, "the worker of the build broke down; it is started again when its lease expires");
    }
}

/// Retires builds that were replaced, or made to verify another one, longer ago than such builds are kept.
async fn retire_outdated(shared: &Shared) -> Result<(), sqlx::Error> {
    for outdated in builds::outdated(&shared.pool, shared.settings.keep_replaced).await? {
        // A failure concerns this build only: a reader may hold its tables, or its row cannot be decoded.
        if let Err(error) = retire(shared, &outdated).await {
            let OutdatedBuild { name, projection, .. } = outdated;
            warn!(build = %name, %projection, %error, "cannot retire the build, trying again");
        }
    }
    Ok(())
}

async fn retire(shared: &Shared, outdated: &OutdatedBuild) -> Result<(), ChangeError> {
    let cause = if let BuildName::Verification(_) = outdated.name {
        "it was made to verify another build, longer ago than such builds are kept"
    } else {
        "it was replaced longer ago than such builds are kept"
    };
    let mut changes = Changes::begin(&shared.pool, &outdated.projection).await?;
    match changes.apply(outdated.build, Event::Retired, cause).await {
        Ok(_) => Ok(changes.commit().await?),
        // It has been activated again in the meantime.
        Err(ChangeError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
