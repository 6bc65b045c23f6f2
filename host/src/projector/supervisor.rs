//! The supervisor of a host: it takes the leases of builds that no host works on, and starts a worker for each.
//!
//! While it waits, no lease of this host is renewed, and no build begins here. So each wait has a bound, none of them is for a build's
//! row, and what may last (retiring builds, a new session that shows that this host lives) goes on in tasks of its own.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use sqlx::{Executor as _, PgConnection};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{shared::Shared, stop::Stop, sweep::sweep, waiting::Waiting, work::Work, worker::Worker};
use crate::{
    builds::{self, Build, BuildId, CommitsHere, Following},
    metrics,
    postgres::{
        Blocked, Heard, Notifications, gave_up_waiting, has_sqlstate, is_disconnect, is_transient, lock_holders,
        sqlstate::READ_ONLY_TRANSACTION, within,
    },
    subscriptions::{self, HostKey, Lease, Presence},
};

/// How often builds are looked for without a notification.
const POLL: Duration = Duration::from_secs(1);

/// For how long it counts that this host was found to be the only one: longer than the pause between two looks. Other hosts that come make
/// themselves known at once.
const ALONE_FOR: Duration = Duration::from_secs(3);

/// Past builds that a host makes at once: one that takes long does not keep the others waiting, and those that follow the log have the rest.
pub const PAST_AT_ONCE: usize = 2;

/// Looks for builds to work on until it is stopped.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    host: HostKey,
    /// The session that shows that this host lives, on which leases are renewed as well, so that no worker keeps the connection from them.
    presence: Option<Presence>,
    /// The next one, if that was lost. It may wait for the end of the lost one, which has the same name.
    next_presence: Option<JoinHandle<Result<Presence, sqlx::Error>>>,
    notifications: Notifications,
    workers: HashMap<BuildId, Running>,
    stop: CancellationToken,
    committed: watch::Sender<CommitsHere>,
    /// Whether the other hosts were told that this one has come.
    has_greeted: bool,
    /// Builds whose rows in Postgres cannot be decoded, with the error that was logged.
    undecodable: HashMap<BuildId, String>,
    /// Why builds cannot be looked for, as the log has it.
    said: Option<String>,
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
        committed: watch::Sender<CommitsHere>,
    ) -> Result<Self, sqlx::Error> {
        let host = HostKey::random();
        let presence = show_presence(&shared, host).await?;
        let notifications = Notifications::listen(shared.pool.clone(), "gnomon_builds").await?;
        Ok(Self {
            shared,
            host,
            presence: Some(presence),
            next_presence: None,
            notifications,
            workers: HashMap::new(),
            stop,
            committed,
            has_greeted: false,
            undecodable: HashMap::new(),
            said: None,
        })
    }

    /// How leases name this host.
    pub(super) fn host(&self) -> HostKey {
        self.host
    }

    pub(super) async fn run(mut self) {
        // A lease is renewed at least three times while it lasts.
        let poll = POLL.min(self.shared.settings.lease / 3);
        let sweeping = tokio::spawn(sweep(Arc::clone(&self.shared)));
        let mut leases = metrics::of_host().projector.leases();
        while !self.stop.is_cancelled() {
            let looked = self.look().await;
            if looked.is_err() {
                self.shared.log.no_other_host_for(Duration::ZERO);
            }
            leases.set(self.workers.len());
            self.say(looked.err()).await;
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.look_again.notified() => {}
                () = tokio::time::sleep(poll) => {}
                heard = self.notifications.next() => self.note_awaited(&heard),
            }
        }
        sweeping.abort();
        if let Some(next) = &self.next_presence {
            next.abort();
        }
        // Each worker finishes its commit and gives its lease back.
        for work in self.workers.values() {
            work.stop.cancel();
        }
        for (_, work) in self.workers.drain() {
            log_panic(&work.build, work.task.await);
        }
        drop(leases);
        // Ignores a failure: a host that has no session does not count any more.
        let removed = subscriptions::remove_host(&self.shared.pool, self.host);
        let _ = within(limit(&self.shared), "that this host stops", removed).await;
    }

    /// Tells the workers of this host that somebody waits for a position, if that is what was heard.
    fn note_awaited(&self, heard: &Heard) {
        if let Some(position) = builds::awaited(heard) {
            self.shared.awaited.send_if_modified(|awaited| {
                let is_later = position > *awaited;
                *awaited = position.max(*awaited);
                is_later
            });
        }
    }

    /// Logs why builds cannot be looked for, once for each cause.
    async fn say(&mut self, error: Option<sqlx::Error>) {
        let why = match error {
            Some(error) if gave_up_waiting(&error) => {
                let holders = lock_holders(&self.shared.pool, None);
                let by = within(limit(&self.shared), "who holds a lock", holders).await.unwrap_or_default();
                Some(Blocked { by }.to_string())
            }
            error => error.map(|error| error.to_string()),
        };
        if why != self.said {
            match &why {
                Some(error) => warn!(error, "cannot look for builds to work on, trying again"),
                None => info!("looking for builds to work on again"),
            }
            self.said = why;
        }
    }

    /// Stops the workers of builds that are not running, and starts workers for running builds whose leases are free.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        self.drop_ended_workers();
        self.keep_presence();
        if let Some(mut presence) = self.presence.take() {
            match self.look_through(presence.connection()).await {
                Err(error) if breaks_connection(&error) => {
                    warn!(%error, "the session that shows that this host lives is lost, and another one is opened");
                }
                looked => {
                    self.presence = Some(presence);
                    return looked;
                }
            }
            drop(presence);
            self.keep_presence();
        }
        // Leases are renewed all the same.
        let pool = self.shared.pool.clone();
        let mut connection = within(limit(&self.shared), "a connection", pool.acquire()).await?;
        self.look_through(&mut connection).await
    }

    async fn look_through(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (limit, lease, began) = (limit(&self.shared), self.shared.settings.lease, Instant::now());
        self.renew_leases(connection).await?;
        let builds = within(limit, "the builds to work on", builds::running(&mut *connection)).await?;
        let heartbeat = subscriptions::heartbeat(connection, self.host, lease);
        let hosts = within(limit, "the hosts that live", heartbeat).await?;
        if !self.has_greeted {
            // A host that takes itself for the only one tells nobody of its appends.
            within(limit, "that this host has come", builds::notify(connection)).await?;
            self.has_greeted = true;
        }
        self.shared.log.no_other_host_for(if hosts == 1 { ALONE_FOR } else { Duration::ZERO });
        let (past, others): (Vec<_>, Vec<_>) = builds.iter().partition(|(_, is_past)| *is_past);
        // A past build that waits for its turn takes no place from the others.
        let lanes = [(others, builds.len()), (past, PAST_AT_ONCE)];
        self.undecodable.retain(|build, _| builds.iter().any(|(running, _)| running == build));
        for (build, work) in &self.workers {
            if !builds.iter().any(|(running, _)| running == build) {
                work.stop.cancel();
            }
        }
        for (lane, most) in lanes {
            // Builds beyond this host's share are left to the other hosts.
            let share = lane.len().div_ceil(hosts).min(most);
            let is_of_lane = |build: &BuildId| lane.iter().any(|(of_lane, _)| of_lane == build);
            for (_, work) in self.workers.iter().filter(|(build, _)| is_of_lane(build)).skip(share) {
                work.stop.cancel();
            }
            let mut workers = self.workers.keys().filter(|build| is_of_lane(build)).count();
            for (build, _) in &lane {
                if workers >= share {
                    break;
                }
                if began.elapsed() > limit {
                    // The leases first.
                    self.shared.look_again.notify_one();
                    break;
                }
                if !self.workers.contains_key(build) {
                    self.start_worker(connection, *build).await?;
                    workers += usize::from(self.workers.contains_key(build));
                }
            }
        }
        Ok(())
    }

    /// Takes the lease of a build and starts a worker for it, unless another host has the lease or the build is not running.
    ///
    /// A build that cannot be decoded is logged and left alone, so that it does not keep the host from the other builds.
    async fn start_worker(&mut self, connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
        let limit = limit(&self.shared);
        let duration = self.shared.settings.lease;
        let lease = subscriptions::acquire(&mut *connection, self.host, build.subscription(), duration);
        let Some(lease) = within(limit, "the lease of a build", lease).await? else { return Ok(()) };
        let job = match within(limit, "the work on a build", builds::job(connection, build)).await {
            Ok(Some(job)) => job,
            // It was stopped in between.
            Ok(None) => return give_back(connection, lease, limit).await,
            Err(error) if is_transient(&error) => return Err(error),
            Err(error) => {
                give_back(connection, lease, limit).await?;
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
        let waiting = Waiting::after(job.waits_for.clone());
        let measures = &metrics::of_host().projector;
        measures.lease_taken();
        let measures = measures.projection(found.projection.as_str());
        let following = Arc::new(Following::default());
        following.found(job.is_followed);
        let work = Work { shared, job, lease, waiting, stop: stop.clone(), committed, measures, following };
        self.workers.insert(build, Running { build: found, lease, stop, task: tokio::spawn(Worker::new(work).run()) });
        Ok(())
    }

    fn drop_ended_workers(&mut self) {
        self.workers.retain(|build, work| match (&mut work.task).now_or_never() {
            Some(ended) => {
                self.committed.send_modify(|commits| commits.left(*build));
                log_panic(&work.build, ended);
                false
            }
            None => true,
        });
    }

    /// Sees to it that there is a session that shows that this host lives, and waits for nothing.
    fn keep_presence(&mut self) {
        if self.presence.is_some() {
            return;
        }
        if let Some(next) = &mut self.next_presence {
            let Some(shown) = next.now_or_never() else { return };
            self.next_presence = None;
            match shown {
                Ok(Ok(presence)) => {
                    self.presence = Some(presence);
                    return;
                }
                Ok(Err(error)) => warn!(%error, "cannot show that this host lives, trying again"),
                Err(error) => warn!(%error, "cannot show that this host lives, trying again"),
            }
        }
        let (shared, host) = (Arc::clone(&self.shared), self.host);
        self.next_presence = Some(tokio::spawn(async move { show_presence(&shared, host).await }));
    }

    async fn renew_leases(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let leases: Vec<Lease> = self.workers.values().map(|work| work.lease).collect();
        let held = subscriptions::renew(connection, &leases, self.shared.settings.lease);
        let held = within(limit(&self.shared), "the leases of this host", held).await?;
        for (build, work) in &self.workers {
            if !held.contains(&build.subscription()) {
                work.stop.cancel();
            }
        }
        Ok(())
    }
}

/// How long the supervisor waits for one answer.
fn limit(shared: &Shared) -> Duration {
    // An answer that takes longer than a short lease is better than none.
    (shared.settings.lease / 3).max(Duration::from_secs(2))
}

async fn give_back(connection: &mut PgConnection, lease: Lease, limit: Duration) -> Result<(), sqlx::Error> {
    within(limit, "that a lease is given back", subscriptions::release(connection, lease)).await
}

/// Opens a session that shows that this host lives, for the statements of the supervisor. They wait for a table that somebody has locked for
/// less than [`limit`], so that such a lock is not taken for a connection that fell silent.
async fn show_presence(shared: &Shared, host: HostKey) -> Result<Presence, sqlx::Error> {
    let mut presence = Presence::show(&shared.pool, host).await?;
    let milliseconds = (limit(shared) / 2).as_millis();
    presence.connection().execute(format!("SET lock_timeout = {milliseconds}").as_str()).await?;
    Ok(presence)
}

/// Whether the connection is of no use after this error: it is broken, or somebody ended its session; or it was opened while the database
/// was read-only, which a session stays.
fn breaks_connection(error: &sqlx::Error) -> bool {
    is_disconnect(error)
        || has_sqlstate(error, READ_ONLY_TRANSACTION)
        || !matches!(error, sqlx::Error::Database(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })
}

/// Logs that a worker ended by a panic: one outside of its runs, which catch their own.
fn log_panic(build: &Build, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        let stop = Stop::from(error);
        error!(build = %build.name(), projection = %build.projection, ?stop, "the worker of the build broke down; it is started again when its lease expires");
    }
}
