//! Making rows again when somebody is forgotten.
//!
//! The keys are destroyed then (`personal_data`), and the log tells nothing more. What is left are rows that were made of it before: each build that was begun before the forgetting became
//! effective, and reads events with personal data, is stale. A new one is begun for it, which becomes the active one as any other does, and the stale ones are retired. What is to be done follows from
//! which builds there are, so any host goes on where another one was killed.

use std::{collections::BTreeSet, time::Duration};

use gnomon_values::Instant;
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{Operations, error::OperateError, log_filter::log_filter};
use crate::{
    builds::{
        Activation, Build, BuildId, Changes, Event, NewBuild, NewBuildPurpose, Role, begun_before, get, hold_upcasters,
        of_projection, remove_row_changes,
    },
    modules::ModuleVersion,
    personal_data::{PersonalData, PersonalDataError},
    read_model::Identifier,
};

/// How often a host looks whether somebody is to be forgotten, and how far that is.
const EVERY: Duration = Duration::from_secs(1);
/// Forgettings that are looked at together.
const MAX_FORGETTINGS: usize = 1000;

/// Goes on with forgettings for as long as it is not dropped.
#[derive(Debug)]
pub struct ForgettingKeeper(JoinHandle<()>);

impl Drop for ForgettingKeeper {
    fn drop(&mut self) {
        // A transaction that is under way is rolled back.
        self.0.abort();
    }
}

/// Why a forgetting does not go on now.
#[derive(Debug, thiserror::Error)]
enum ForgetError {
    #[error(transparent)]
    PersonalData(#[from] PersonalDataError),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

impl Operations {
    /// Begins to go on with what is to be forgotten.
    #[must_use]
    pub fn keep_forgetting(&self, personal_data: PersonalData) -> ForgettingKeeper {
        let operations = self.clone();
        ForgettingKeeper(tokio::spawn(async move {
            let mut said = None;
            loop {
                tokio::time::sleep(EVERY).await;
                if !personal_data.has_keys() {
                    continue;
                }
                let message = operations.go_on(&personal_data).await.err().map(|error| error.to_string());
                if message != said
                    && let Some(message) = &message
                {
                    warn!(error = message, "cannot go on with what is to be forgotten, trying again");
                }
                said = message;
            }
        }))
    }

    /// One step.
    async fn go_on(&self, personal_data: &PersonalData) -> Result<(), ForgetError> {
        let unfinished = personal_data.unfinished(MAX_FORGETTINGS).await?;
        let Some(effective_at) = unfinished.iter().filter_map(|forgetting| forgetting.effective_at).max() else {
            return Ok(());
        };
        let mut is_left = false;
        for projection in self.not_forgotten(personal_data, effective_at).await? {
            is_left = true;
            if let Err(error) = self.refill(&projection, effective_at).await {
                warn!(%projection, %error, "the rows cannot be made again without what is forgotten, trying again");
            }
        }
        if !is_left {
            personal_data.finish(effective_at).await?;
            info!("what is forgotten is in no rows any more");
        }
        Ok(())
    }

    /// The projections that may have rows of what was forgotten by an instant: they have builds from before, which read events with personal data.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn not_forgotten(
        &self,
        personal_data: &PersonalData,
        effective_at: Instant,
    ) -> Result<BTreeSet<Identifier>, sqlx::Error> {
        let types = personal_data.ever_declared().await?;
        let mut connection = self.pool.acquire().await?;
        let mut found = BTreeSet::new();
        for (projection, build) in begun_before(&mut *connection, effective_at, None).await? {
            if !found.contains(&projection) && reads_one_of(&mut connection, build, &types).await? {
                found.insert(projection);
            }
        }
        Ok(found)
    }

    /// Does what can be done now for a projection with stale builds.
    async fn refill(&self, name: &Identifier, effective_at: Instant) -> Result<(), OperateError> {
        let stale = stale_builds(&mut *self.pool.acquire().await?, name, effective_at).await?;
        let builds = of_projection(&self.pool, name).await?.unwrap_or_default();
        // Before the transaction, since a version may have to be compiled.
        let mut modules = Vec::new();
        for (version, _) in to_begin(&builds, &stale) {
            modules.push((version, self.modules.load_projection(name, version).await?));
        }
        let (mut transaction, locks) = self.begin().await?;
        let refilled = locks.explain(async {
            let upcasters = hold_upcasters(&mut transaction).await?;
            let mut changes = Changes::within(transaction, name).await?;
            let stale = stale_builds(changes.connection(), name, effective_at).await?;
            let builds = changes.builds().await?;
            let retired = to_retire(&builds, &stale);
            changes.apply_all(&retired, Event::Retired, "somebody was forgotten, of whom it may have rows").await?;
            remove_row_changes(changes.connection(), &retired).await?;
            for (version, activation) in to_begin(&builds, &stale) {
                let Some((_, module)) = modules.iter().find(|(loaded, _)| *loaded == version) else { continue };
                let upcasters = upcasters.clone();
                let new = NewBuild { version, upcasters, purpose: NewBuildPurpose::Queries(activation) };
                let cause = "somebody was forgotten, and the rows are made again without them";
                let build = changes.begin_build(&new, module.tables(), self.settings.limits, cause).await?;
                info!(projection = %name, build = %build.number, "rows are made again, since somebody was forgotten");
            }
            Ok(changes.commit().await?)
        });
        refilled.await
    }
}

async fn stale_builds(
    connection: &mut PgConnection,
    name: &Identifier,
    effective_at: Instant,
) -> Result<Vec<BuildId>, sqlx::Error> {
    let stale = begun_before(connection, effective_at, Some(name)).await?;
    Ok(stale.into_iter().map(|(_, build)| build).collect())
}

/// Whether a build reads events of one of these types.
async fn reads_one_of(connection: &mut PgConnection, build: BuildId, types: &[String]) -> Result<bool, sqlx::Error> {
    let Some(build) = get(&mut *connection, &[build]).await?.pop() else { return Ok(false) };
    let filter = log_filter(connection, &build).await?.filter;
    Ok(types.iter().any(|event_type| filter.types.admits(event_type)))
}

/// The builds of a projection that are begun now. Where one that is to become active is stale, or the active one is, its version gets another; and so does a version that
/// an operator would have made active.
fn to_begin(builds: &[Build], stale: &[BuildId]) -> Vec<(ModuleVersion, Activation)> {
    let is_stale = |build: &&Build| stale.contains(&build.id);
    let with_tables = || builds.iter().filter(|build| build.state.kept().is_some());
    let mut begun = Vec::new();
    // The newest first.
    let next = with_tables().find(|build| build.state.activates_when_live());
    let wanted = next.or_else(|| with_tables().find(|build| build.state.is_active()));
    if let Some(wanted) = wanted.filter(is_stale) {
        begun.push((wanted.version, Activation::Auto));
    }
    let candidates = with_tables().filter(is_stale).filter(|build| has_role(build, Role::Candidate));
    for candidate in candidates.filter(|build| !build.state.activates_when_live()) {
        if begun.iter().all(|(version, _)| *version != candidate.version) {
            begun.push((candidate.version, Activation::Manual));
        }
    }
    // One that was begun since has what it takes, or an operator has to see why it does not get there.
    begun.retain(|(version, _)| {
        !with_tables().any(|build| !is_stale(&build) && build.version == *version && has_role(build, Role::Candidate))
    });
    begun
}

/// The stale builds of a projection that nobody needs: all but the active one, and those that a new one supersedes. Past builds are not among the builds.
fn to_retire(builds: &[Build], stale: &[BuildId]) -> Vec<BuildId> {
    let is_needed = |build: &Build| build.state.is_active() || build.state.activates_when_live();
    stale.iter().copied().filter(|id| !builds.iter().any(|build| build.id == *id && is_needed(build))).collect()
}

fn has_role(build: &Build, role: Role) -> bool {
    build.state.kept().is_some_and(|kept| kept.role == role)
}

#[cfg(test)]
#[path = "forget_tests.rs"]
mod tests;
