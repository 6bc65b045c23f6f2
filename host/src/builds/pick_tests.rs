use super::*;
use crate::{
    builds::{Activation, Kept, Role, Stage},
    modules::ModuleVersion,
};

const LIVE: Kept =
    Kept { stage: Stage::Live, work: Work::Running, role: Role::Candidate, activation: Activation::Manual };
const ACTIVE: Kept = Kept { role: Role::Active, ..LIVE };
const REPLACED: Kept = Kept { role: Role::Replaced, ..LIVE };
const REPLAYING: Kept = Kept { stage: Stage::Replaying, ..LIVE };

fn stopped(kept: Kept, work: Work) -> Kept {
    Kept { work, ..kept }
}

/// Builds 1, 2, 3 … in these states, newest first; `None` for one that is retired.
fn builds(states: &[Option<Kept>]) -> Vec<Build> {
    let build = |(number, state): (u64, &Option<Kept>)| Build {
        id: BuildId(i64::try_from(number * 10).unwrap()),
        number: BuildNumber(number),
        projection: Identifier::new("bank").unwrap(),
        version: ModuleVersion(1),
        upcasters: Vec::new(),
        state: state.map_or(State::Retired, State::Kept),
        verifies: None,
        stop_at: None,
        was_active: state.is_some_and(|kept| matches!(kept.role, Role::Active | Role::Replaced)),
    };
    let mut builds: Vec<Build> = (1..).zip(states).map(build).collect();
    builds.reverse();
    builds
}

/// The number that is chosen, or why none is.
fn chosen(states: &[Option<Kept>], default: DefaultBuild) -> Result<u64, String> {
    let builds = builds(states);
    let picked = pick(&Identifier::new("bank").unwrap(), &builds, None, default);
    picked.map(|build| build.number.0).map_err(|error| error.to_string())
}

fn activated(states: &[Kept]) -> Result<u64, String> {
    chosen(&states.iter().copied().map(Some).collect::<Vec<_>>(), DefaultBuild::ToActivate)
}

fn rolled_back(states: &[Kept]) -> Result<u64, String> {
    chosen(&states.iter().copied().map(Some).collect::<Vec<_>>(), DefaultBuild::ToRollBackTo)
}

#[test]
fn an_activation_without_a_build_never_goes_back() {
    assert_eq!(activated(&[ACTIVE, LIVE, LIVE]), Ok(3), "the newest");
    assert_eq!(activated(&[REPLACED, ACTIVE, LIVE]), Ok(3));
    assert_eq!(activated(&[LIVE, LIVE]), Ok(2), "none is active yet");
    assert_eq!(activated(&[ACTIVE, LIVE, REPLAYING]), Ok(2), "the newest that has caught up");
    // The newest is active: nothing changes, whatever the older ones are doing.
    assert_eq!(activated(&[REPLACED, ACTIVE]), Ok(2));
    assert_eq!(activated(&[stopped(LIVE, Work::Halted), ACTIVE]), Ok(2));
    assert_eq!(chosen(&[Some(LIVE), Some(ACTIVE), None], DefaultBuild::ToActivate), Ok(2));
}

#[test]
fn a_build_that_is_stopped_or_replays_is_activated_by_its_number_only() {
    for (newer, states) in [
        (vec![stopped(LIVE, Work::Halted)], "build 2 is halted"),
        (vec![stopped(LIVE, Work::Failed), REPLAYING], "build 3 is replaying, build 2 is failed"),
        (vec![stopped(LIVE, Work::Paused)], "build 2 is paused"),
    ] {
        let error = activated(&[&[ACTIVE], newer.as_slice()].concat()).unwrap_err();
        assert_eq!(
            error,
            format!(
                "projection `bank` has no build to activate: of those that are newer than the active build 1, {states}; one that is \
                 replaying or stopped is activated by its number only, and so is one that is older"
            )
        );
    }
    let error = activated(&[stopped(REPLAYING, Work::Halted)]).unwrap_err();
    assert!(
        error.ends_with("build 1 is halted; one that is replaying or stopped is activated by its number only"),
        "{error}"
    );
    let error = chosen(&[None], DefaultBuild::ToActivate).unwrap_err();
    assert!(error.ends_with("all of them are retired; deploy or rebuild the projection"), "{error}");
}

#[test]
fn a_rollback_goes_to_the_build_before_or_says_why_not() {
    assert_eq!(rolled_back(&[REPLACED, REPLACED, LIVE, ACTIVE]), Ok(2));
    let error = rolled_back(&[REPLACED, stopped(REPLACED, Work::Halted), ACTIVE]).unwrap_err();
    insta::assert_snapshot!(error, @"projection `bank` has no build to roll back to: build 2 was active before, and is halted: it would stand still. Let it continue, or activate it by its number");
    let error = rolled_back(&[ACTIVE, REPLACED]).unwrap_err();
    insta::assert_snapshot!(error, @"projection `bank` has no build to roll back to: no earlier one that was active is kept; any other is activated by its number");
}

#[test]
fn a_build_that_verifies_is_not_meant_by_the_number_of_a_verification() {
    let mut builds = builds(&[Some(ACTIVE), None]);
    builds[0].verifies = Some(crate::builds::Verifies { build: builds[1].id, batch_events: 1 });
    builds[0].number = BuildNumber(1);
    let name = Identifier::new("bank").unwrap();
    let named = |number| pick(&name, &builds, Some(BuildNumber(number)), DefaultBuild::Active).map(|build| build.id);
    assert_eq!(named(1), Ok(BuildId(10)));
    assert_eq!(named(2).unwrap_err().to_string(), "projection `bank` has no build 2; it has 1");
    let verification = |number| find_verification(&name, &builds, BuildNumber(number)).map(|build| build.id);
    assert_eq!(verification(1), Ok(BuildId(20)));
    assert!(matches!(verification(2), Err(PickError::NoVerification { .. })));
}
