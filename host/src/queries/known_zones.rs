//! The time zones that Postgres is known to know, so that it is asked once for each.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// How many zones are remembered. Postgres has 1,200 names, and clients use few of them.
const MAX_REMEMBERED: usize = 256;
/// The bytes of a zone that is remembered, at most.
const MAX_BYTES: usize = 64;

/// Zones that Postgres knows.
#[derive(Debug, Default)]
pub(super) struct KnownZones(Mutex<HashSet<String>>);

impl KnownZones {
    pub(super) fn has(&self, zone: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(zone)
    }

    pub(super) fn remember(&self, zone: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if zone.len() <= MAX_BYTES && known.len() < MAX_REMEMBERED {
            known.insert(zone.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_short_zones_are_remembered() {
        let known = KnownZones::default();
        known.remember(&"x".repeat(MAX_BYTES + 1));
        (0..=MAX_REMEMBERED).for_each(|number| known.remember(&number.to_string()));
        assert!(known.has("0") && !known.has(&MAX_REMEMBERED.to_string()) && !known.has(&"x".repeat(MAX_BYTES + 1)));
    }
}
