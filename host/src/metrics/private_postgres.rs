//! Whether a private Postgres runs.

use std::sync::{Mutex, PoisonError};

/// Whether a private Postgres runs.
#[derive(Debug, Default)]
pub struct PrivatePostgresMeasures {
    up: Mutex<Option<bool>>,
}

impl PrivatePostgresMeasures {
    /// It runs, or it does not any more.
    pub fn is_up(&self, up: bool) {
        *self.up.lock().unwrap_or_else(PoisonError::into_inner) = Some(up);
    }

    /// Whether it runs; `None` if there never was one.
    #[must_use]
    pub fn up(&self) -> Option<bool> {
        *self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
