//! Retiring outdated builds, and removing dead hosts.
//!
//! This goes on beside the supervisor, which waits for none of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tracing::warn;

use super::shared::Shared;
use crate::{
    builds::{self, BuildId, BuildName, ChangeError, Changes, Event, OutdatedBuild},
    postgres::begin_waiting,
    subscriptions,
};

/// How often outdated builds and dead hosts are looked for; more often if builds are kept for a shorter time.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// At most so often.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// How long a retirement waits for a lock, other than those of the build's tables.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// Sweeps until it is aborted.
pub(super) async fn sweep(shared: Arc<Shared>) {
    let kept_for = shared.settings.keep_replaced.min(shared.settings.past.keep_past);
    let interval = SWEEP_INTERVAL.min(kept_for).max(SHORTEST_INTERVAL);
    // Why builds were not retired, as the log has it.
    let mut said = HashMap::new();
    loop {
        tokio::time::sleep(interval).await;
        if let Err(error) = retire_outdated(&shared, &mut said).await {
            warn!(%error, "cannot look for outdated builds, trying again");
        }
        if let Err(error) = subscriptions::remove_dead_hosts(&shared.pool).await {
            warn!(%error, "cannot remove dead hosts, trying again");
        }
        if let Err(error) = builds::remove_old_notes(&shared.pool).await {
            warn!(%error, "cannot remove old notes of changed rows, trying again");
        }
    }
}

/// Retires builds that were replaced, or made to verify another one, longer ago than such builds are kept; and past builds that nobody has asked
/// for in so long.
async fn retire_outdated(shared: &Shared, said: &mut HashMap<BuildId, String>) -> Result<(), sqlx::Error> {
    let mut all = builds::outdated(&shared.pool, shared.settings.keep_replaced).await?;
    all.extend(builds::outdated_past(&shared.pool, shared.settings.past.keep_past).await?);
    said.retain(|build, _| all.iter().any(|outdated| outdated.build == *build));
    for outdated in all {
        // A failure concerns this build only: a reader may hold its tables, or its row cannot be decoded.
        let Err(error) = retire(shared, &outdated).await else { continue };
        let OutdatedBuild { name, projection, build } = outdated;
        let why = error.to_string();
        if matches!(error, ChangeError::Blocked(_)) {
            let why = format!("it is retired when it can be: {why}");
            if let Err(error) = builds::note_waiting(&shared.pool, build, None, Some(&why)).await {
                warn!(build = %name, %projection, %error, "cannot note what the build waits for");
            }
        }
        if said.get(&build) != Some(&why) {
            warn!(build = %name, %projection, %error, "cannot retire the build, trying again");
            said.insert(build, why);
        }
    }
    Ok(())
}

async fn retire(shared: &Shared, outdated: &OutdatedBuild) -> Result<(), ChangeError> {
    let cause = match outdated.name {
        BuildName::Verification(_) => "it was made to verify another build, longer ago than such builds are kept",
        BuildName::Past(_) => "nobody has asked for it for as long as such builds are kept",
        BuildName::Build(_) => "it was replaced longer ago than such builds are kept",
    };
    let (transaction, locks) = begin_waiting(&shared.pool, LOCK_TIMEOUT).await?;
    let retired = locks.explain(async {
        let mut changes = Changes::within(transaction, &outdated.projection).await?;
        // Another host may have deleted it meanwhile.
        changes.apply_all(&[outdated.build], Event::Retired, cause).await?;
        Ok(changes.commit().await?)
    });
    match retired.await {
        // It has been activated again in the meantime.
        Ok(()) | Err(ChangeError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
