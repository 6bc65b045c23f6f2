//! Removes compiled code from the disk that no stored module needs.

use std::collections::HashSet;

use tracing::warn;

use super::{Digest, Modules};

impl Modules {
    /// Removes compiled code that no stored module needs: that of uploads during which the host died, and of earlier versions of this
    /// program. Versions are never deleted, so this is done when a host starts.
    pub(crate) async fn sweep_code(&self) {
        let known: Result<Vec<String>, sqlx::Error> =
            sqlx::query_scalar("SELECT DISTINCT digest FROM gnomon.module_versions").fetch_all(&self.pool).await;
        match known {
            Ok(known) => {
                let known: HashSet<Digest> = known.into_iter().map(Digest::from).collect();
                let runtime = self.runtime.clone();
                // It only makes room; a panic is in the log.
                let _ = tokio::task::spawn_blocking(move || runtime.sweep_code(&known)).await;
            }
            Err(error) => warn!(%error, "compiled modules on the disk that nobody needs are not removed now"),
        }
    }
}
