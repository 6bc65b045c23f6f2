//! How many past builds there may be, and which one makes room for the next.

use std::time::Duration;

use super::build::BuildId;
use crate::read_model::Identifier;

/// How long a past build is left alone after somebody has asked for it, when another one needs its place.
const IN_USE: Duration = Duration::from_secs(20);
/// The same for one that is still being made: whoever asked waits for it, and asks now and then.
const AWAITED: Duration = Duration::from_secs(60);

/// How many past builds there may be, and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastLimits {
    /// Those of one projection.
    pub max_past_builds: usize,
    /// Those of all projections.
    pub max_all_past_builds: usize,
    /// The bytes that the tables of all of them take.
    pub max_past_bytes: u64,
    /// How long one is kept after it was last asked for.
    pub keep_past: Duration,
}

impl Default for PastLimits {
    fn default() -> Self {
        Self {
            max_past_builds: 8,
            max_all_past_builds: 32,
            max_past_bytes: 8 * 1024 * 1024 * 1024,
            keep_past: Duration::from_secs(60 * 60),
        }
    }
}

/// A past build as it takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastUse {
    pub(crate) build: BuildId,
    pub(crate) projection: Identifier,
    /// Whether a host works on it.
    pub(crate) is_running: bool,
    /// How long ago somebody asked for it.
    pub(crate) unasked_for: Duration,
    /// The bytes of its tables.
    pub(crate) bytes: u64,
}

impl PastUse {
    fn is_in_use(&self) -> bool {
        self.unasked_for < if self.is_running { AWAITED } else { IN_USE }
    }
}

/// Whether another past build may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PastRoom {
    /// It may.
    Free,
    /// It may when this one is retired.
    Retire(BuildId, Identifier),
    /// It may not.
    Full(TooManyPastBuilds),
}

/// There are as many past builds as there may be, and all are in use. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}; the limit is {max} (--{limit}). All of them were asked for a moment ago: ask again later, retire one with `gnomon retire`, or raise \
     the limit",
    found_in_words(limit, *found, projection)
)]
pub struct TooManyPastBuilds {
    /// The projection whose past is asked for.
    pub projection: Identifier,
    /// The name of the setting.
    pub limit: &'static str,
    /// How many there are, or their bytes.
    pub found: u64,
    /// The limit.
    pub max: u64,
}

fn found_in_words(limit: &str, found: u64, projection: &Identifier) -> String {
    match limit {
        "max-past-builds" => format!("projection `{projection}` has {found} past builds"),
        "max-past-bytes" => format!("the past builds of all projections take {found} bytes"),
        _ => format!("there are {found} past builds of all projections"),
    }
}

/// Decides whether another past build of a projection may begin. Room is made by that which was not asked for the longest.
pub(crate) fn room_for(projection: &Identifier, uses: &[PastUse], limits: &PastLimits) -> PastRoom {
    let of_projection = uses.iter().filter(|used| used.projection == *projection);
    let bytes: u64 = uses.iter().map(|used| used.bytes).sum();
    let checks = [
        ("max-past-builds", of_projection.clone().count() as u64, limits.max_past_builds as u64, true),
        ("max-all-past-builds", uses.len() as u64, limits.max_all_past_builds as u64, false),
        ("max-past-bytes", bytes, limits.max_past_bytes, false),
    ];
    let Some((limit, found, max, only_of_projection)) = checks.into_iter().find(|(_, found, max, _)| found >= max)
    else {
        return PastRoom::Free;
    };
    let unused = uses.iter().filter(|used| !used.is_in_use());
    let longest = unused
        .filter(|used| !only_of_projection || used.projection == *projection)
        .max_by_key(|used| (used.unasked_for, used.build));
    match longest {
        Some(longest) => PastRoom::Retire(longest.build, longest.projection.clone()),
        None => PastRoom::Full(TooManyPastBuilds { projection: projection.clone(), limit, found, max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    fn used(build: i64, projection: &str, seconds: u64, bytes: u64) -> PastUse {
        let unasked_for = Duration::from_secs(seconds);
        PastUse { build: BuildId(build), projection: name(projection), is_running: false, unasked_for, bytes }
    }

    const LIMITS: PastLimits = PastLimits {
        max_past_builds: 2,
        max_all_past_builds: 3,
        max_past_bytes: 100,
        keep_past: Duration::from_secs(3600),
    };

    #[test]
    fn the_one_that_was_not_asked_for_the_longest_makes_room() {
        let bank = name("bank");
        let room = |uses: &[PastUse]| room_for(&bank, uses, &LIMITS);
        assert_eq!(room(&[]), PastRoom::Free);
        assert_eq!(room(&[used(1, "bank", 0, 99)]), PastRoom::Free);
        // Of the projection that has too many, though another one's was not asked for longer.
        let full = [used(1, "bank", 30, 1), used(2, "shop", 90, 1), used(3, "bank", 40, 1)];
        assert_eq!(room(&full), PastRoom::Retire(BuildId(3), bank.clone()));
        // Of all, if all have too many.
        let full = [used(1, "bank", 30, 1), used(2, "shop", 90, 1), used(3, "shop", 40, 1)];
        assert_eq!(room(&full), PastRoom::Retire(BuildId(2), name("shop")));
        assert_eq!(room(&[used(1, "shop", 30, 100)]), PastRoom::Retire(BuildId(1), name("shop")));
    }

    #[test]
    fn none_that_is_in_use_makes_room_and_the_error_names_the_limit() {
        let bank = name("bank");
        let full = |uses: &[PastUse]| match room_for(&bank, uses, &LIMITS) {
            PastRoom::Full(error) => error,
            room => panic!("{room:?}"),
        };
        let error = full(&[used(1, "bank", 5, 1), used(2, "bank", 7, 1)]);
        assert_eq!((error.limit, error.found, error.max), ("max-past-builds", 2, 2));
        assert!(error.to_string().contains("projection `bank` has 2 past builds; the limit is 2 (--max-past-builds)"));
        let error = full(&[used(1, "shop", 5, 150)]);
        assert_eq!((error.limit, error.found, error.max), ("max-past-bytes", 150, 100));
        // One that is being made is left alone for longer.
        let made = PastUse { is_running: true, ..used(1, "shop", 59, 100) };
        assert_eq!(full(std::slice::from_ref(&made)).limit, "max-past-bytes");
        let left = PastUse { unasked_for: Duration::from_secs(60), ..made };
        assert_eq!(room_for(&bank, &[left], &LIMITS), PastRoom::Retire(BuildId(1), name("shop")));
    }
}
