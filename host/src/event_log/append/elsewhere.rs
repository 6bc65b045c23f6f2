//! What was appended on this host, and not by its connection that appends: within transactions of others.
//!
//! It is told after the commit, by whoever committed it, to the one who knows the end of the log. What is told late, or not at all, only costs that
//! one a look at the log.

use std::sync::{Arc, Mutex, PoisonError};

use super::head::Head;
use crate::event_log::{event::StreamVersion, name::StreamName};

/// What may wait to be heard; with more, none of it is worth keeping.
const MAX_WAITING: usize = 64;

/// What one transaction has appended.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// The head before it.
    pub(super) before: Head,
    /// The head that it has left.
    pub(super) after: Head,
    /// The streams that it has added to, with their new versions.
    pub(super) versions: Vec<(StreamName, StreamVersion)>,
}

/// What was committed, and not heard yet. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub(in crate::event_log) struct AppendedElsewhere(Arc<Mutex<Vec<Elsewhere>>>);

impl AppendedElsewhere {
    /// It is committed.
    pub(super) fn tell(&self, committed: Elsewhere) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MAX_WAITING {
            waiting.clear();
        }
        waiting.push(committed);
    }

    /// Takes what was committed next behind a head.
    pub(super) fn next(&self, head: Head) -> Option<Elsewhere> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|told| told.before.position >= head.position);
        let next = waiting.iter().position(|told| told.before.is_same(head))?;
        Some(waiting.swap_remove(next))
    }
}
