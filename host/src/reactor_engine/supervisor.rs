//! The supervisor of a host: it takes the leases of reactors that no host works on, and starts a worker for each.
//!
//! While it waits, no lease of this host is renewed. So each wait has a bound, and none of them is for a reactor's row.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    work::{Shared, Work},
    worker::Worker,
};
use crate::{
    metrics,
    postgres::{is_transient, within},
    reactors::{self, ReactorId},
    subscriptions::{self, Lease},
};

/// How often reactors are looked for without being woken.
const POLL: Duration = Duration::from_secs(1);

/// Looks for reactors to work on until it is stopped.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    workers: HashMap<ReactorId, Running>,
    stop: CancellationToken,
    /// Reactors whose rows in Postgres cannot be decoded, with the error that was logged.
    undecodable: HashMap<ReactorId, String>,
    /// Why reactors cannot be looked for, as the log has it.
    said: Option<String>,
}

/// A reactor that this host works on.
struct Running {
    lease: Lease,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Self {
        Self { shared, workers: HashMap::new(), stop, undecodable: HashMap::new(), said: None }
    }

    pub(super) async fn run(mut self) {
        // A lease is renewed at least three times while it lasts.
        let poll = POLL.min(self.shared.settings.lease / 3);
        let mut working = metrics::of_host().reactors.work();
        while !self.stop.is_cancelled() {
            let looked = self.look().await;
            self.say(looked.err());
            working.set(self.workers.len());
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.shared.look_again.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
        // Each worker finishes its commit and gives its lease back.
        for work in self.workers.values() {
            work.stop.cancel();
        }
        for (_, work) in self.workers.drain() {
            log_panic(work.task.await);
        }
        drop(working);
    }

    /// Logs why reactors cannot be looked for, once for each cause.
    fn say(&mut self, error: Option<sqlx::Error>) {
        let why = error.map(|error| error.to_string());
        if why != self.said {
            match &why {
                Some(error) => warn!(error, "cannot look for reactors to work on, trying again"),
                None => info!("looking for reactors to work on again"),
            }
            self.said = why;
        }
    }

    /// Stops the workers of reactors that are not running, and starts workers for running reactors whose leases are free.
    async fn look(&mut self) -> Result<(), sqlx::Error> {
        self.workers.retain(|_, work| match (&mut work.task).now_or_never() {
            Some(ended) => {
                log_panic(ended);
                false
            }
            None => true,
        });
        let (pool, limit) = (self.shared.pool.clone(), limit(&self.shared));
        let mut connection = within(limit, "a connection", pool.acquire()).await?;
        self.renew_leases(&mut connection).await?;
        let running = within(limit, "the reactors to work on", reactors::running(&mut *connection)).await?;
        self.undecodable.retain(|reactor, _| running.contains(reactor));
        for (reactor, work) in &self.workers {
            if !running.contains(reactor) {
                work.stop.cancel();
            }
        }
        if running.is_empty() {
            return Ok(());
        }
        let hosts = subscriptions::living_hosts(&pool, self.shared.settings.lease);
        let hosts = usize::try_from(within(limit, "the hosts that live", hosts).await?).unwrap_or(usize::MAX).max(1);
        // Reactors beyond this host's share are left to the other hosts.
        let share = running.len().div_ceil(hosts);
        for work in self.workers.values().skip(share) {
            work.stop.cancel();
        }
        for reactor in running {
            if self.workers.len() >= share {
                break;
            }
            if !self.workers.contains_key(&reactor) {
                self.start_worker(&mut connection, reactor).await?;
            }
        }
        Ok(())
    }

    /// Takes the lease of a reactor and starts a worker for it, unless another host has the lease or the reactor is not running.
    async fn start_worker(&mut self, connection: &mut PgConnection, reactor: ReactorId) -> Result<(), sqlx::Error> {
        let (limit, duration) = (limit(&self.shared), self.shared.settings.lease);
        let lease = subscriptions::acquire(&mut *connection, self.shared.host, reactor.subscription(), duration);
        let Some(lease) = within(limit, "the lease of a reactor", lease).await? else { return Ok(()) };
        let job = match within(limit, "the work on a reactor", reactors::job(connection, reactor)).await {
            Ok(Some(job)) => job,
            // It was stopped in between.
            Ok(None) => return give_back(connection, lease, limit).await,
            Err(error) if is_transient(&error) => return Err(error),
            // One that cannot be decoded does not keep the host from the others.
            Err(error) => {
                give_back(connection, lease, limit).await?;
                let error = error.to_string();
                if self.undecodable.get(&reactor) != Some(&error) {
                    error!(tables = %reactor.schema(), error, "a reactor cannot be decoded, and is left alone");
                    self.undecodable.insert(reactor, error);
                }
                return Ok(());
            }
        };
        self.undecodable.remove(&reactor);
        info!(reactor = %job.reactor.name, version = %job.reactor.version, "working on the reactor");
        let measures = metrics::of_host().reactors.reactor(job.reactor.name.as_str());
        let (shared, stop) = (Arc::clone(&self.shared), CancellationToken::new());
        let work = Work { shared, job, lease, stop: stop.clone(), measures };
        self.workers.insert(reactor, Running { lease, stop, task: tokio::spawn(Worker::new(work).run()) });
        Ok(())
    }

    async fn renew_leases(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let leases: Vec<Lease> = self.workers.values().map(|work| work.lease).collect();
        if leases.is_empty() {
            return Ok(());
        }
        let held = subscriptions::renew(connection, &leases, self.shared.settings.lease);
        let held = within(limit(&self.shared), "the leases of this host", held).await?;
        for (reactor, work) in &self.workers {
            if !held.contains(&reactor.subscription()) {
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

/// Logs that a worker ended by a panic: one outside of its runs, which catch their own.
fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!(%error, "the worker of a reactor broke down; it is started again when its lease expires");
    }
}
