//! What a build waits for that somebody else holds, noted where people look.

use tracing::{info, warn};

use super::work::Work;
use crate::{
    builds,
    postgres::{Blocked, lock_holders},
};

/// What a build needs that somebody else may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// Its tables, and what belongs to its subscription.
    Tables,
    /// The views that are to show it.
    Views,
}

/// What a build waits for, in words.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    tables: Option<String>,
    views: Option<String>,
    /// What the log has said last.
    said: Option<String>,
    /// What the build's row has.
    noted: Option<String>,
}

impl Waiting {
    /// Nothing, though the build's row may say otherwise.
    pub(super) fn after(noted: Option<String>) -> Self {
        Self { said: noted.clone(), noted, ..Self::default() }
    }

    fn is_nothing(&self) -> bool {
        [&self.tables, &self.views, &self.said, &self.noted].iter().all(|text| text.is_none())
    }
}

impl Work {
    /// The build waited for a lock on its tables in vain.
    pub(super) async fn note_locked_tables(&mut self) {
        let schema = self.job.build.id.schema();
        // If this fails, it is not known who it is.
        let by = lock_holders(&self.shared.pool, Some(schema.as_str())).await.unwrap_or_default();
        self.note(Needed::Tables, Some(Blocked { by }.to_string())).await;
    }

    /// Notes why the build waits for something, or that it does not: in the log, once for each change, and in its row.
    pub(super) async fn note(&mut self, needed: Needed, why: Option<String>) {
        if why.is_none() && self.waiting.is_nothing() {
            return;
        }
        match needed {
            Needed::Tables => self.waiting.tables = why,
            Needed::Views => self.waiting.views = why.map(|why| format!("it becomes active when it can: {why}")),
        }
        let now = self.waiting.tables.clone().or_else(|| self.waiting.views.clone());
        let build = &self.job.build;
        if now != self.waiting.said {
            match &now {
                Some(waits_for) => {
                    warn!(build = %build.name(), projection = %build.projection, waits_for, "the build waits");
                }
                None => info!(build = %build.name(), projection = %build.projection, "the build waits no longer"),
            }
            self.waiting.said.clone_from(&now);
        }
        if now != self.waiting.noted {
            match builds::note_waiting(&self.shared.pool, build.id, Some(self.lease), now.as_deref()).await {
                Ok(()) => self.waiting.noted = now,
                // It is tried again with the next note.
                Err(error) => {
                    warn!(build = %build.name(), projection = %build.projection, %error, "cannot note what the build waits for");
                }
            }
        }
    }
}
