//! What is begun and what is retired, without a database.

use super::*;
use crate::builds::{BuildNumber, Kept, Stage, State, Work};

const LIVE: Kept = Kept { stage: Stage::Live, work: Work::Running, role: Role::Active, activation: Activation::Manual };

/// A build of this number, which is its key as well.
fn build(number: i64, version: u32, state: Kept) -> Build {
    assert!(state.is_possible(), "{state:?}");
    Build {
        id: BuildId(number),
        number: BuildNumber(number.unsigned_abs()),
        projection: Identifier::new("p".to_owned()).unwrap(),
        version: ModuleVersion(version),
        upcasters: Vec::new(),
        state: State::Kept(state),
        verifies: None,
        stop_at: None,
        was_active: false,
    }
}

fn candidate(stage: Stage, activation: Activation) -> Kept {
    Kept { stage, role: Role::Candidate, activation, ..LIVE }
}

const REPLACED: Kept = Kept { role: Role::Replaced, ..LIVE };

/// The versions that are begun, and the builds that are retired, where these are stale. Builds are newest first.
fn decide(builds: &[Build], stale: &[i64]) -> (Vec<(u32, Activation)>, Vec<i64>) {
    let stale: Vec<BuildId> = stale.iter().copied().map(BuildId).collect();
    let begun = to_begin(builds, &stale).into_iter().map(|(version, activation)| (version.0, activation)).collect();
    (begun, to_retire(builds, &stale).into_iter().map(|build| build.0).collect())
}

#[test]
fn the_active_build_is_made_again_and_retired_when_another_one_is_active() {
    let builds = [build(2, 7, LIVE), build(1, 6, REPLACED)];
    // A past build and a verification are not among the builds.
    assert_eq!(decide(&builds, &[1, 2, 90]), (vec![(7, Activation::Auto)], vec![1, 90]));
    let next = candidate(Stage::Replaying, Activation::Auto);
    let builds = [build(3, 7, next), build(2, 7, LIVE)];
    assert_eq!(decide(&builds, &[2]), (vec![], vec![]), "it waits");
    let builds = [build(3, 7, LIVE), build(2, 7, REPLACED)];
    assert_eq!(decide(&builds, &[2]), (vec![], vec![2]));
    assert_eq!(decide(&builds, &[]), (vec![], vec![]));
}

#[test]
fn a_version_that_is_about_to_become_active_is_begun_again() {
    let next = candidate(Stage::Replaying, Activation::Auto);
    let builds = [build(3, 8, next), build(2, 7, LIVE)];
    // The new one supersedes the stale one, which is not retired twice.
    assert_eq!(decide(&builds, &[2, 3]), (vec![(8, Activation::Auto)], vec![]));
    // Nothing is active yet.
    assert_eq!(decide(&[build(3, 8, next)], &[3]), (vec![(8, Activation::Auto)], vec![]));
}

#[test]
fn what_waits_for_an_operator_is_begun_again_once() {
    let waiting = candidate(Stage::Live, Activation::Manual);
    let builds = [build(3, 8, waiting), build(2, 7, LIVE)];
    let both = vec![(7, Activation::Auto), (8, Activation::Manual)];
    assert_eq!(decide(&builds, &[2, 3]), (both, vec![3]));
    // Of the same version as the active one, it is that one.
    let builds = [build(3, 7, waiting), build(2, 7, LIVE)];
    assert_eq!(decide(&builds, &[2, 3]), (vec![(7, Activation::Auto)], vec![3]));
    let again = candidate(Stage::Replaying, Activation::Manual);
    let builds = [build(4, 8, again), build(3, 8, waiting), build(2, 7, LIVE)];
    assert_eq!(decide(&builds, &[3]), (vec![], vec![3]));
}

#[test]
fn a_new_build_that_does_not_get_there_is_not_begun_again_and_again() {
    for stopped in [
        Kept { work: Work::Halted, ..candidate(Stage::Replaying, Activation::Auto) },
        // It could not be activated.
        candidate(Stage::Live, Activation::Manual),
    ] {
        let builds = [build(3, 7, stopped), build(2, 7, LIVE)];
        assert_eq!(decide(&builds, &[2]), (vec![], vec![]), "{stopped:?}");
    }
}
