//! One look at the active builds for all who want to know their state: those that wait for a position, and those whose answer is in the cache.
//!
//! If each reader looked for itself, a hundred of them would keep Postgres busy with thousands of transactions a second. A look is always begun
//! after the reader came, so what it sees is at least as new as all that was committed before: on any number of hosts, whoever has the leases.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{contents::Contents, origin::Origin};
use crate::{
    builds::{ActiveLookup, BuildNumber, CommitsHere},
    event_log::Position,
    modules::ModuleVersion,
    read_model::Identifier,
};

/// How often the checkpoints are read while other hosts work on the builds.
const POLL: Duration = Duration::from_millis(20);
/// How long one look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(15);

/// What a look saw of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its active build.
    pub(super) active: ActiveLookup<SeenBuild>,
    /// The log.
    pub(super) log: SeenLog,
}

/// What a look saw of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenBuild {
    /// Its number, and the version that made its rows.
    pub(super) origin: Origin,
    /// Its checkpoint.
    pub(super) checkpoint: Position,
    /// What its tables hold at that checkpoint.
    pub(super) contents: Contents,
}

/// What a look saw of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SeenLog {
    /// The id that it got when it was made.
    pub(super) id: Uuid,
    /// The position of the newest event.
    pub(super) head: Position,
}

/// The looks of this host. They are made while somebody waits.
#[derive(Clone, Debug)]
pub(super) struct Looks(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    /// Changes with each commit of this host's workers.
    committed: watch::Receiver<CommitsHere>,
    state: Mutex<State>,
    /// Somebody has begun to wait.
    asked: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the look that was begun last.
    begun: u64,
    waiting: HashMap<Identifier, Group>,
    /// Whether a task makes the looks.
    is_looking: bool,
}

/// Those that wait for one projection.
#[derive(Debug)]
struct Group {
    waiters: usize,
    looks: watch::Sender<Look>,
}

/// What a look has to say of one projection.
#[derive(Clone, Debug, Default)]
struct Look {
    number: u64,
    /// `None` if it failed.
    seen: Option<Seen>,
}

/// Somebody who waits. Dropped, it leaves nothing.
#[derive(Debug)]
pub(super) struct Waiter {
    shared: Arc<Shared>,
    projection: Identifier,
    looks: watch::Receiver<Look>,
    /// The look that this one has seen last, or that was begun before it came.
    last: u64,
}

impl Looks {
    pub(super) fn new(pool: PgPool, committed: watch::Receiver<CommitsHere>) -> Self {
        Self(Arc::new(Shared { pool, committed, state: Mutex::default(), asked: Notify::new() }))
    }

    /// Begins to wait for looks at a projection.
    pub(super) fn wait(&self, projection: &Identifier) -> Waiter {
        let mut state = self.0.state();
        let group = state.waiting.entry(projection.clone());
        let group = group.or_insert_with(|| Group { waiters: 0, looks: watch::Sender::default() });
        group.waiters += 1;
        let looks = group.looks.subscribe();
        if !state.is_looking {
            state.is_looking = true;
            tokio::spawn(look_while_somebody_waits(Arc::clone(&self.0)));
        }
        self.0.asked.notify_one();
        Waiter { shared: Arc::clone(&self.0), projection: projection.clone(), looks, last: state.begun }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// What the next look sees, which is begun after the one before was seen here. `None` if it fails.
    pub(super) async fn next(&mut self) -> Option<Seen> {
        let last = self.last;
        match self.looks.wait_for(|look| look.number > last).await {
            Ok(look) => {
                self.last = look.number;
                look.seen.clone()
            }
            // The group is kept while somebody of it waits.
            Err(_) => None,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if let Some(group) = state.waiting.get_mut(&self.projection) {
            group.waiters -= 1;
            if group.waiters == 0 {
                state.waiting.remove(&self.projection);
            }
        }
    }
}

async fn look_while_somebody_waits(shared: Arc<Shared>) {
    let mut committed = shared.committed.clone();
    let mut is_committing = true;
    loop {
        let (number, projections) = {
            let mut state = shared.state();
            if state.waiting.is_empty() {
                state.is_looking = false;
                return;
            }
            state.begun += 1;
            (state.begun, state.waiting.keys().cloned().collect::<Vec<_>>())
        };
        committed.mark_unchanged();
        let looked = tokio::time::timeout(LOOK_TIMEOUT, look(&shared.pool, &projections)).await;
        let looked = looked.unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())));
        {
            let state = shared.state();
            for projection in &projections {
                let Some(group) = state.waiting.get(projection) else { continue };
                let seen = looked.as_ref().ok().map(|(found, log)| Seen {
                    active: found.get(projection).cloned().unwrap_or(ActiveLookup::NoProjection),
                    log: *log,
                });
                group.looks.send_replace(Look { number, seen });
            }
        }
        // Commits of this host, and readers that come, wake at once; commits of other hosts are found by looking again.
        tokio::select! {
            changed = committed.changed(), if is_committing => is_committing = changed.is_ok(),
            () = shared.asked.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// A look at one projection for one reader, whose error says why it fails.
pub(super) async fn look_alone(pool: &PgPool, projection: &Identifier) -> Result<Seen, sqlx::Error> {
    let (mut found, log) = look(pool, std::slice::from_ref(projection)).await?;
    Ok(Seen { active: found.remove(projection).unwrap_or(ActiveLookup::NoProjection), log })
}

/// The active builds of projections, and the log, in one snapshot.
async fn look(
    pool: &PgPool,
    projections: &[Identifier],
) -> Result<(HashMap<Identifier, ActiveLookup<SeenBuild>>, SeenLog), sqlx::Error> {
    type Row = (
        Uuid,
        Position,
        Option<Identifier>,
        Option<BuildNumber>,
        Option<ModuleVersion>,
        Option<Position>,
        Option<Uuid>,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT log_id, head.position, name, number, version, checkpoint, contents FROM gnomon.head
         LEFT JOIN (gnomon.projections
             LEFT JOIN gnomon.builds ON projection = name AND role = 'active'
             LEFT JOIN gnomon.subscriptions ON subscription = build) ON name = ANY($1)",
    )
    .bind(projections)
    .fetch_all(pool)
    .await?;
    let log = rows.first().map(|&(id, head, ..)| SeenLog { id, head }).unwrap_or_default();
    let found = rows.into_iter().filter_map(|(_, _, name, number, version, checkpoint, contents)| {
        let active = match (number, version, checkpoint, contents) {
            (Some(number), Some(version), Some(checkpoint), Some(contents)) => {
                let origin = Origin { build: Some(number), version };
                ActiveLookup::Found(SeenBuild { origin, checkpoint, contents: Contents(contents) })
            }
            _ => ActiveLookup::NoActiveBuild,
        };
        Some((name?, active))
    });
    Ok((found.collect(), log))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::tests::{TestBuilds, step, writes};

    fn checkpoint(seen: &Seen) -> Option<Position> {
        seen.active.clone().found().map(|build| build.checkpoint)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_look_is_for_all_who_wait_and_who_leaves_leaves_nothing() {
        let builds = TestBuilds::create().await;
        let (build, tables) = builds.build(1, &["n"]).await;
        builds.live(build).await;
        builds.activate(build, &tables).await;
        builds.append(3).await;
        let (_committed, receive) = watch::channel(CommitsHere::default());
        let looks = Looks::new(builds.pool.clone(), receive);

        let mut waiters: Vec<Waiter> = (0..150).map(|_| looks.wait(&builds.name)).collect();
        let seen = waiters[149].next().await.unwrap();
        assert_eq!((checkpoint(&seen), seen.log.head), (Some(Position(0)), Position(3)));
        // All of them see the same look.
        let number = waiters[149].last;
        for waiter in &mut waiters {
            assert!(waiter.next().await.is_some());
            assert!(waiter.last <= number + 1, "{} looks", waiter.last);
        }
        // Another host commits.
        let lease = builds.lease(build).await;
        builds.commit(lease, &tables, step(0, 2), writes(&tables, &[1, 10])).await.unwrap();
        let mut nobody = looks.wait(&Identifier::new("nobody").unwrap());
        assert_eq!(nobody.next().await.unwrap().active, ActiveLookup::NoProjection);
        let waiter = &mut waiters[0];
        while checkpoint(&waiter.next().await.unwrap()) != Some(Position(2)) {}

        drop((waiters, nobody));
        assert!(looks.0.state().waiting.is_empty());
        test_support::until("nobody looks any more", async || !looks.0.state().is_looking).await;
    }
}
