//! What a build waits for that somebody else holds, noted where people look.

use sqlx::PgPool;
use tracing::{info, warn};

use crate::{
    builds::{self, Build},
    subscriptions::Lease,
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

impl Waiting {
    /// Notes why a build waits for something, or that it does not: in the log, once for each change, and in its row.
    pub(super) async fn note(
        &mut self,
        pool: &PgPool,
        build: &Build,
        lease: Lease,
        needed: Needed,
        why: Option<String>,
    ) {
        if why.is_none() && self.is_nothing() {
            return;
        }
        match needed {
            Needed::Tables => self.tables = why,
            Needed::Views => self.views = why.map(|why| format!("it becomes active when it can: {why}")),
        }
        let now = self.tables.clone().or_else(|| self.views.clone());
        if now != self.said {
            match &now {
                Some(waits_for) => {
                    warn!(build = %build.name(), projection = %build.projection, waits_for, "the build waits");
                }
                None => info!(build = %build.name(), projection = %build.projection, "the build waits no longer"),
            }
            self.said.clone_from(&now);
        }
        if now != self.noted {
            match builds::note_waiting(pool, build.id, Some(lease), now.as_deref()).await {
                Ok(()) => self.noted = now,
                // It is tried again with the next note.
                Err(error) => {
                    warn!(build = %build.name(), projection = %build.projection, %error, "cannot note what the build waits for");
                }
            }
        }
    }
}
