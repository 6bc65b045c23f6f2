//! The task that keeps the summary near the end of the log.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use super::{
    pace::Pace,
    step::{Step, step},
};
use crate::{event_log::event::Position, postgres::Backoff};

/// How often a step is made while few events are appended: it costs the same for one event as for a hundred.
const EVERY: Duration = Duration::from_secs(1);
/// So many events behind the summary are not left to wait. It is less than what an answer adds to the summary, so answers are of the head.
const MANY: u64 = 2048;
/// How often a step is tried though nothing seems to have happened: nobody notices for sure that a database was restored.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// How often it is looked whether there are many. That is no question to Postgres.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps the summary for as long as it is not dropped.
#[derive(Debug)]
pub struct SummaryKeeper(JoinHandle<()>);

impl Drop for SummaryKeeper {
    fn drop(&mut self) {
        // A transaction that is under way is rolled back.
        self.0.abort();
    }
}

/// Begins to keep the summary of a log, whose head and restores this host sees there.
pub(in crate::event_log) fn keep(
    pool: PgPool,
    head: watch::Receiver<Position>,
    restores: watch::Receiver<u64>,
) -> SummaryKeeper {
    SummaryKeeper(tokio::spawn(run(pool, Seen { head, restores })))
}

/// What this host sees of the log.
struct Seen {
    head: watch::Receiver<Position>,
    restores: watch::Receiver<u64>,
}

async fn run(pool: PgPool, mut seen: Seen) {
    let mut pace = Pace::default();
    let mut backoff = Backoff::new(LOOK_EVERY, Duration::from_secs(10));
    let mut said = None;
    loop {
        seen.mark();
        let began = Instant::now();
        let stepped = step(&pool, pace.events()).await;
        let rest = match stepped {
            Ok(Step::Moved { to, left }) => {
                let rest = pace.took(began.elapsed(), left > 0);
                if left == 0 && seen.more(to).await.is_err() {
                    return;
                }
                if left == 0 { Duration::ZERO } else { rest }
            }
            Ok(Step::Restarted) => Duration::ZERO,
            Ok(Step::Busy) => EVERY,
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                pace.shrink();
                let error = error.to_string();
                if said.as_ref() != Some(&error) {
                    warn!(error, "the summary of the log, for statistics, cannot be kept, trying again");
                    said = Some(error);
                }
                sleep(backoff.next_pause()).await;
                continue;
            }
        };
        backoff.reset();
        if said.take().is_some() {
            info!("the summary of the log is kept again");
        }
        sleep(rest).await;
    }
}

impl Seen {
    /// What there is now is about to be looked at.
    fn mark(&mut self) {
        self.head.mark_unchanged();
        self.restores.mark_unchanged();
    }

    /// Waits until there is something behind a summary up to `to`, and until that is worth a step; at once if the log is another one.
    async fn more(&mut self, to: Position) -> Result<(), watch::error::RecvError> {
        tokio::select! {
            appended = self.head.changed() => appended?,
            restored = self.restores.changed() => return restored,
            () = sleep(LOOK_ANYWAY) => return Ok(()),
        }
        let until = Instant::now() + EVERY;
        while Instant::now() < until && self.head.borrow().0.saturating_sub(to.0) < MANY {
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}
