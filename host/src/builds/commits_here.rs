//! How far the workers of this host have brought their builds, known without asking Postgres.

use std::collections::HashMap;

use super::build::BuildId;
use crate::event_log::Position;

/// The checkpoints that workers of this host have committed, of the builds that they work on. It travels in a channel that changes with each
/// commit.
///
/// What it says of a build is true when it is said, and may be old when it is read: the build may have gone to another host, or may not be
/// active any more. So it tells when it is worth to read, and not what was read.
#[derive(Clone, Debug, Default)]
pub struct CommitsHere {
    checkpoints: HashMap<BuildId, Position>,
    #[cfg(test)]
    pub(crate) count: u64,
}

impl CommitsHere {
    /// A worker has committed up to `checkpoint`.
    pub(crate) fn committed(&mut self, build: BuildId, checkpoint: Position) {
        self.checkpoints.insert(build, checkpoint);
        #[cfg(test)]
        {
            self.count += 1;
        }
    }

    /// Nobody here works on the build any more.
    pub(crate) fn left(&mut self, build: BuildId) {
        self.checkpoints.remove(&build);
    }

    /// How far the build was brought here; `None` if no worker of this host has committed anything of it.
    pub(crate) fn checkpoint(&self, build: BuildId) -> Option<Position> {
        self.checkpoints.get(&build).copied()
    }
}
