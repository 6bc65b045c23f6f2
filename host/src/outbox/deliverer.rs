//! Has a worker for each sink, and looks for messages that nobody has announced.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    intake::{Intake, Intakes},
    publisher::Publisher,
    shared::Shared,
    sink::{SinkKind, SinkSettings},
    sink_name::SinkName,
    sinks::MAX_SINKS,
    worker::Worker,
};
use crate::postgres::{ANSWER_TIMEOUT, sql_row, within};

/// How often messages are removed that were kept for long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How many at once.
const SWEEP_COUNT: i64 = 5000;

/// A sink as a look finds it.
struct Found {
    sink: SinkName,
    settings: String,
    is_due: bool,
}

sql_row!(Found { sink, settings, is_due });

/// The worker of a sink, from outside.
struct Running {
    gets_log: bool,
    settings: watch::Sender<Arc<SinkSettings>>,
    stop: CancellationToken,
}

/// Has a worker for each sink.
pub(super) struct Deliverer {
    pub(super) shared: Arc<Shared>,
    pub(super) intakes: Intakes,
    /// Says that sinks have changed.
    pub(super) look: Arc<Notify>,
    pub(super) stop: CancellationToken,
}

impl Deliverer {
    /// Works until it is told to stop, and then until all workers have ended.
    pub(super) async fn run(self) {
        let mut workers: HashMap<SinkName, Running> = HashMap::new();
        let mut tasks = JoinSet::new();
        let (mut said, mut swept) = (None, None::<Instant>);
        while !self.stop.is_cancelled() {
            let mut looked = self.look(&mut workers, &mut tasks).await;
            if looked.is_ok() && swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY) {
                swept = Some(Instant::now());
                looked = sweep(&self.shared.pool, self.shared.settings.keep_delivered).await;
            }
            let error = looked.err().map(|error| error.to_string());
            if error != said {
                match &error {
                    Some(error) => warn!(error, "cannot look for sinks and messages, trying again"),
                    None => info!("looking for sinks and messages again"),
                }
                said = error;
            }
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.look.notified() => {}
                () = sleep(self.shared.settings.look_every) => {}
            }
        }
        for worker in workers.values() {
            worker.stop.cancel();
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Starts workers for new sinks, stops those of removed ones, tells the others of changes, and wakes those that have messages to send.
    async fn look(&self, workers: &mut HashMap<SinkName, Running>, tasks: &mut JoinSet<()>) -> Result<(), sqlx::Error> {
        let found = find(&self.shared.pool).await?;
        workers.retain(|sink, worker| {
            let is_there = found.iter().any(|found| found.sink == *sink);
            if !is_there {
                worker.stop.cancel();
                self.intakes.set(sink, None);
            }
            is_there
        });
        for Found { sink, settings, is_due } in found {
            let settings: Arc<SinkSettings> = match serde_json::from_str(&settings) {
                Ok(settings) => Arc::new(settings),
                Err(error) => {
                    warn!(%sink, %error, "the settings of a sink cannot be read, and its messages wait");
                    continue;
                }
            };
            // One that becomes another kind of sink has another kind of worker.
            let gets_log = settings.kind == SinkKind::Log;
            if workers.get(&sink).is_some_and(|worker| worker.gets_log != gets_log)
                && let Some(worker) = workers.remove(&sink)
            {
                worker.stop.cancel();
            }
            if let Some(worker) = workers.get(&sink) {
                worker.settings.send_if_modified(|known| {
                    let has_changed = **known != *settings;
                    *known = settings;
                    has_changed
                });
            } else {
                let (sender, receiver) = watch::channel(settings);
                let stop = self.stop.child_token();
                let shared = Arc::clone(&self.shared);
                let (name, settings, until) = (sink.clone(), receiver, stop.clone());
                if gets_log {
                    self.intakes.set(&sink, None);
                    tasks.spawn(Publisher { shared, sink: name, settings, stop: until }.run());
                } else {
                    let (intake, claimed) = Intake::new(settings);
                    self.intakes.set(&sink, Some(intake.clone()));
                    tasks.spawn(Worker { shared, sink: name, intake, claimed, stop: until }.run());
                }
                workers.insert(sink.clone(), Running { settings: sender, stop, gets_log });
            }
            if is_due {
                self.intakes.wake(&sink);
            }
        }
        Ok(())
    }
}

/// The sinks, and which have messages that are due.
async fn find(pool: &PgPool) -> Result<Vec<Found>, sqlx::Error> {
    let find = sqlx::query_as(
        "SELECT sink, settings, coalesce((
             SELECT due_at <= now() FROM gnomon.outbox_keys WHERE outbox_keys.sink = sinks.sink ORDER BY due_at LIMIT 1
         ), false) AS is_due
         FROM gnomon.sinks ORDER BY sink LIMIT $1",
    )
    .bind(i64::try_from(MAX_SINKS).unwrap_or(i64::MAX))
    .fetch_all(pool);
    within(ANSWER_TIMEOUT, "the sinks and their messages", find).await
}

/// Removes messages that were delivered long ago, and calls of whose failure their reactors were told then. A message that was published and has failed
/// stays until an operator has seen to it.
async fn sweep(pool: &PgPool, keep: Duration) -> Result<(), sqlx::Error> {
    loop {
        let sweep = sqlx::query(
            "DELETE FROM gnomon.outbox WHERE message IN (
                 SELECT message FROM gnomon.outbox WHERE (state = 'delivered' OR state = 'failed' AND call IS NOT NULL) AND done_at < now() - make_interval(secs => $1) ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED
             )",
        )
        .bind(keep.as_secs_f64())
        .bind(SWEEP_COUNT)
        .execute(pool);
        let swept = within(ANSWER_TIMEOUT, "the removal of delivered messages", sweep).await?;
        if swept.rows_affected() < SWEEP_COUNT.unsigned_abs() {
            return Ok(());
        }
    }
}
