//! Checking the snapshots of a projection against the events of their streams: some of them, or all if they are few.

use std::time::Instant;

use super::{
    Past,
    asking::Question,
    error::PastError,
    logic::{self, Logic},
    snapshots::{remove_stream, some_streams},
};
use crate::{
    event_log::{EventLog, StreamName, StreamVersion},
    modules::ModuleVersion,
    read_model::Identifier,
};

/// Streams whose snapshots are checked at once.
pub const MAX_VERIFIED_STREAMS: usize = 100;

/// The result of checking snapshots of a version of a projection.
#[derive(Clone, Debug)]
pub struct SnapshotsVerification {
    /// The logic whose snapshots they are.
    pub logic: Logic,
    /// Streams whose snapshots were checked.
    pub streams: u64,
    /// Snapshots that were compared.
    pub snapshots: u64,
    /// Those that were wrong, and are removed.
    pub wrong: Vec<(StreamName, StreamVersion)>,
    /// Whether these are all that there are.
    pub is_all: bool,
}

impl Past {
    /// Folds streams of which there are snapshots, drawn at random, and compares. Ends with the time for one answer.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn verify_snapshots(
        &self,
        log: &EventLog,
        projection: &Identifier,
        version: Option<ModuleVersion>,
    ) -> Result<SnapshotsVerification, PastError> {
        let deadline = Instant::now() + self.settings.past_timeout;
        let logic = logic::choose(&self.pool, projection, version).await?;
        let loaded = logic::load(&self.pool, &self.modules, logic).await?;
        let streams = some_streams(&self.pool, loaded.lineage, MAX_VERIFIED_STREAMS + 1).await?;
        let (version, logic) = (Some(loaded.logic.version), loaded.logic);
        let is_all = streams.len() <= MAX_VERIFIED_STREAMS;
        let mut verification = SnapshotsVerification { logic, streams: 0, snapshots: 0, wrong: Vec::new(), is_all };
        for stream in streams.iter().take(MAX_VERIFIED_STREAMS) {
            if Instant::now() >= deadline {
                verification.is_all = false;
                break;
            }
            let found = match self.verify_snapshots_of(Question { log, stream, projection, version }).await {
                Ok(found) => found,
                // The log was restored to before it.
                Err(PastError::NoStream(_)) => {
                    let versions = remove_stream(&self.pool, loaded.lineage, stream).await?;
                    verification.snapshots += versions.len() as u64;
                    verification.wrong.extend(versions.into_iter().map(|version| (stream.clone(), version)));
                    continue;
                }
                // It is too long for one answer, as others may not be.
                Err(PastError::TimedOut { .. } | PastError::TooLarge { .. }) => {
                    verification.is_all = false;
                    continue;
                }
                Err(error) => return Err(error),
            };
            verification.streams += 1;
            verification.snapshots += found.snapshots;
            verification.wrong.extend(found.wrong_snapshots.into_iter().map(|version| (stream.clone(), version)));
        }
        Ok(verification)
    }
}
