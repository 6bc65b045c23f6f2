//! Upcasters that break the contract, and the errors for them.

use std::time::Duration;

use gnomon::event_log::Position;
use gnomon::runtime::{BatchError, FailureKind, ModuleFailure, RuntimeLimits};

use test_support::upcaster;

use crate::{load, load_upcaster, told};

const LIMITS: fn() -> RuntimeLimits = || RuntimeLimits {
    max_event_bytes: 1000,
    max_upcast_events: 20,
    max_memory_bytes: 32 * 1024 * 1024,
    max_batch_time: Duration::from_millis(500),
    ..RuntimeLimits::default()
};

/// The failures for each word, which the second of three events carries.
fn failure(words: &[&str]) -> Vec<ModuleFailure> {
    let upcaster = load_upcaster("told", &upcaster("does_as_told"), LIMITS());
    let failed = words.iter().map(|word| {
        let mut instance = upcaster.instantiate(Position(4)).unwrap();
        let events = [told(4, "A", 1, "fine"), told(6, "A", 1, word), told(8, "A", 1, "fine")];
        match instance.upcast(&events) {
            Err(BatchError::Module(failure)) => *failure,
            other => panic!("{word}: {other:?}"),
        }
    });
    failed.collect()
}

#[test]
fn results_that_break_the_contract_are_reported_with_the_event() {
    let expected = [
        ("skip a version", "it made of `A` 1: an event of the same type at schema version 3; its step is `A` 1 → 2"),
        ("version 0", "it made of `A` 1: the schema version 0 is not between 1 and 2147483647"),
        ("undeclared", "it made of `A` 1: an event `C`, which is not among the types that the step produces: `A`, `B`"),
        ("empty tag", "it made of `A` 1: an event `A`: the tag must not be empty"),
        ("long tag", "it made of `A` 1: an event `A`: bytes of a tag: 257; the limit max_tag_bytes is 256"),
        ("many tags", "it made of `A` 1: an event `A`: tags of an event: 33; the limit max_event_tags is 32"),
        ("no type", "it made of `A` 1: the event type must not be empty"),
        ("long type", "it made of `A` 1: bytes of an event's type: 300; the limit max_event_type_bytes is 255"),
        ("large", "it made of `A` 1: bytes of data and metadata of an event: 2002; the limit max_event_bytes is 1000"),
        ("multiply", "events that it makes of one: 50; the limit max_upcast_events is 20"),
        (
            "no json",
            "it made of `A` 1: an event `A` whose data is refused: it is not JSON: EOF while parsing a value at line 1 \
             column 8",
        ),
        (
            "deep",
            "it made of `A` 1: an event `A` whose data is refused: depth of the JSON: 129; the limit max_json_depth \
             is 127",
        ),
        (
            "half a character",
            "it made of `A` 1: an event `A` whose data is refused: the JSON has a string that is not Unicode text: \
             unexpected end of hex escape at line 1 column 8",
        ),
        (
            "no metadata",
            "it made of `A` 1: an event `A` whose metadata is refused: it is not JSON: EOF while parsing an object at line \
             1 column 1",
        ),
    ];
    let words: Vec<&str> = expected.iter().map(|(word, _)| *word).collect();
    for ((word, message), failure) in expected.into_iter().zip(failure(&words)) {
        assert_eq!(failure.message, message, "{word}");
        assert_eq!((failure.kind, failure.position.0), (FailureKind::BrokeContract, 6), "{word}");
    }
}

#[test]
fn a_result_of_the_wrong_length_is_refused() {
    let failure = &failure(&["answer too little"])[0];
    assert_eq!(failure.kind, FailureKind::BrokeContract);
    assert_eq!(failure.message, "it returned 2 lists for 3 events");
}

#[test]
fn failures_of_an_upcaster_are_reported_with_the_event() {
    let failures = failure(&["refuse", "refuse elsewhere", "panic", "compute for ever", "take memory"]);
    let [refused, elsewhere, panicked, late, large] = &failures[..] else { panic!("{failures:?}") };
    assert_eq!((refused.kind, refused.message.as_str()), (FailureKind::Refused, "told so at 6"));
    assert_eq!((elsewhere.kind, elsewhere.message.as_str()), (FailureKind::Refused, "told so"));
    assert_eq!(panicked.kind, FailureKind::Trapped);
    assert!(panicked.message.contains("a bug"), "{}", panicked.message);
    let files = panicked.backtrace.iter().filter_map(|frame| frame.file.as_deref());
    assert!(files.into_iter().any(|file| file.ends_with("examples/does_as_told.rs")), "{panicked:?}");
    assert_eq!((late.kind, large.kind), (FailureKind::TimedOut, FailureKind::OutOfMemory));
    assert!(late.message.contains("max_batch_time"), "{}", late.message);
    assert!(large.message.contains("max_memory_bytes"), "{}", large.message);
    for failure in &failures {
        assert_eq!(failure.position.0, 6, "{failure}");
    }
}

#[test]
fn the_clock_of_an_upcaster_is_the_time_of_its_event() {
    let upcaster = load_upcaster("told", &upcaster("does_as_told"), LIMITS());
    let mut instance = upcaster.instantiate(Position(4)).unwrap();
    let answer = instance.upcast(&[told(4, "A", 1, "fine"), told(6, "A", 1, "tell the time")]).unwrap();
    assert_eq!(answer[1][0].data, "\"6000000\"");
}

#[test]
fn invalid_steps_are_refused_with_every_reason() {
    let refused = load("gap", &upcaster("gap"), RuntimeLimits::default()).unwrap_err();
    assert_eq!(
        refused.reasons,
        [
            "step `B` 2 → 1: a step must lead to a later schema version",
            "step `D` 1 → 2: it produces: the event type must not be empty",
            "step `D` 1 → 2: it produces `D` twice",
            "step `A` 1 → 2: no step begins at schema version 2, although others lead to 4; add a step from 2 to a later version",
            "steps `C` 1 → 2 and `C` 1 → 2: both begin at schema version 1",
        ]
    );
}
