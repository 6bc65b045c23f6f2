use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

const STAGES: [Stage; 2] = [Stage::Replaying, Stage::Live];
const WORKS: [Work; 5] = [Work::Running, Work::Paused, Work::Halted, Work::Failed, Work::Finished];
const ROLES: [Role; 5] = [Role::Candidate, Role::Active, Role::Replaced, Role::Verifier, Role::Past];
const EVENTS: [Event; 12] = [
    Event::CaughtUp,
    Event::Activated,
    Event::Replaced,
    Event::ActivateWhenLive,
    Event::Superseded,
    Event::ActivationFailed,
    Event::Paused,
    Event::Resumed,
    Event::Halted,
    Event::Failed,
    Event::Retried,
    Event::Retired,
];

/// Every state that a build can be in.
fn states() -> Vec<State> {
    let mut states = vec![State::Retired];
    for stage in STAGES {
        for work in WORKS {
            for role in ROLES {
                for activation in [Activation::Auto, Activation::Manual] {
                    let kept = Kept { stage, work, role, activation };
                    if kept.is_possible() {
                        states.push(State::Kept(kept));
                    }
                }
            }
        }
    }
    states
}

fn in_words(state: State) -> String {
    match state {
        State::Retired => "retired".to_owned(),
        State::Kept(kept) => {
            format!("{:?} {:?} {:?} {:?}", kept.stage, kept.work, kept.role, kept.activation).to_lowercase()
        }
    }
}

/// The whole table, for a reader: the outcome of each event in each state.
#[test]
fn every_event_in_every_state() {
    let mut table = String::new();
    for state in states() {
        let _ = writeln!(table, "{}", in_words(state));
        for event in EVENTS {
            let outcome = match transition(state, event) {
                Ok((next, effects)) if next == state && effects.is_empty() => "-".to_owned(),
                Ok((next, effects)) => format!("{} {effects:?}", in_words(next)),
                Err(refused) => format!("refused: {refused}"),
            };
            let _ = writeln!(table, "    {:<17} {outcome}", format!("{event:?}"));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_transition_leads_to_a_possible_state_and_has_the_effects_that_belong_to_it() {
    for state in states() {
        for event in EVENTS {
            let Ok((next, effects)) = transition(state, event) else { continue };
            assert!(next.kept().is_none_or(Kept::is_possible), "{state:?} {event:?} {next:?}");
            // A worker must not go on by an old state, so a change of it takes the lease away. The worker knows what it reports
            // itself, and whether queries read the build makes no difference to it.
            let reported_by_worker =
                matches!(event, Event::CaughtUp | Event::Halted | Event::Failed | Event::ActivationFailed);
            let for_queries = matches!(event, Event::Activated | Event::Replaced);
            if next != state && state.is_running() && !reported_by_worker && !for_queries {
                assert!(effects.contains(&Effect::RevokeLease), "{state:?} {event:?} {effects:?}");
            }
            assert!(
                event.revokes_leases() || !effects.contains(&Effect::RevokeLease),
                "{state:?} {event:?} {effects:?}"
            );
            // Only a build that stops, or cannot be activated, has an error.
            if effects.contains(&Effect::KeepError) {
                assert!(
                    matches!(event, Event::Halted | Event::Failed | Event::ActivationFailed),
                    "{state:?} {event:?}"
                );
            }
            assert_eq!(effects.contains(&Effect::DropTables), next == State::Retired && state != State::Retired);
        }
    }
}

#[test]
fn an_event_that_is_applied_twice_changes_nothing_more() {
    for state in states() {
        for event in EVENTS {
            let Ok((next, _)) = transition(state, event) else { continue };
            match transition(next, event) {
                Ok((again, _)) => assert_eq!(again, next, "{state:?} {event:?}"),
                // Only a running build stops, and only the active one is replaced.
                Err(_) => {
                    assert!(matches!(event, Event::Halted | Event::Failed | Event::Replaced), "{state:?} {event:?}")
                }
            }
        }
    }
}

proptest! {
    /// From the states of new builds, any sequence of events leads to possible states only, and never out of retirement.
    #[test]
    fn no_sequence_of_events_leads_to_an_impossible_state(
        begun in prop::sample::select(vec![Role::Candidate, Role::Verifier, Role::Past]),
        auto in any::<bool>(),
        events in prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..40),
    ) {
        let activation = if auto { Activation::Auto } else { Activation::Manual };
        let mut state = match begun {
            Role::Verifier => State::begun_to_verify(),
            Role::Past => State::begun_past(),
            _ => State::begun(activation),
        };
        for event in events {
            let before = state;
            if let Ok((next, _)) = transition(state, event) {
                state = next;
            }
            prop_assert!(state.kept().is_none_or(Kept::is_possible));
            prop_assert!(before != State::Retired || state == State::Retired);
            prop_assert!(begun == Role::Candidate || !state.is_active());
            // What is finished stays as it is until it is retired.
            let was_finished = before.kept().is_some_and(|kept| kept.work == Work::Finished);
            prop_assert!(!was_finished || state == before || state == State::Retired);
            prop_assert!(!state.is_active() || state.is_readable());
        }
    }
}
