//! What clients were answered.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::{Response, StatusCode};

use super::limits::Kind;

/// How often requests of each kind had each status, and what they should not have had.
#[derive(Default)]
pub(super) struct Outcomes {
    counts: Mutex<BTreeMap<(Kind, StatusCode), usize>>,
    wrong: Mutex<Vec<String>>,
    /// Uploads whose refusal their client did not see: it was still sending when the host, which does not read what it refuses, closed the
    /// connection.
    cut_off: AtomicUsize,
}

impl Outcomes {
    /// Notes an answer. A refusal is 503, says when to try again, and is a problem with a code.
    pub(super) async fn add(&self, kind: Kind, answer: reqwest::Result<Response>) -> Option<Response> {
        let response = match answer {
            Ok(response) => response,
            Err(_) if kind == Kind::Upload => {
                self.cut_off.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Err(error) => {
                self.wrong(format!("{kind:?} was not answered: {error:?}"));
                return None;
            }
        };
        let status = response.status();
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry((kind, status)).or_default() += 1;
        if status.is_success() {
            return Some(response);
        }
        let says_when = response.headers().contains_key("retry-after");
        let body = response.text().await.unwrap_or_default();
        if status != StatusCode::SERVICE_UNAVAILABLE || !says_when || !body.contains("\"code\"") {
            self.wrong(format!("{kind:?}: {status}, Retry-After: {says_when}, {body}"));
        }
        None
    }

    pub(super) fn wrong(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(super) fn refused(&self, kind: Kind) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.contains_key(&(kind, StatusCode::SERVICE_UNAVAILABLE))
    }

    /// Fails if a request had what it should not have, or if all of a kind were refused.
    pub(super) fn check(&self) {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{} wrong answers: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, _) in counts.keys() {
            let is_served = counts.iter().any(|((of, status), _)| of == kind && status.is_success());
            assert!(is_served, "nothing of {kind:?} was served: {counts:?}");
        }
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, status), count) in &*self.counts.lock().unwrap_or_else(PoisonError::into_inner) {
            write!(f, "{kind:?} {}: {count}; ", status.as_u16())?;
        }
        write!(f, "uploads cut off: {}", self.cut_off.load(Ordering::Relaxed))
    }
}
