//! Modules that fail at an event.

use std::time::Duration;

use gnomon::runtime::{FailureKind, RuntimeLimits};

use crate::run::{LIMITS, NoRows, event, failure, failure_with, instance, note};

/// The message for a guest that fails at a trigger.
fn message(name: &str, word: &str) -> String {
    failure(name, word).to_string()
}

#[test]
fn a_panic_has_its_message_and_location() {
    let failure = failure("trap", "");
    assert_eq!(failure.kind, FailureKind::Trapped);
    assert_eq!(
        failure.to_string(),
        "the module panicked or trapped at position 3: panicked at tests/guests/examples/trap.rs:34:17: a bug at test-1"
    );
    let own = failure.backtrace.iter().find(|frame| frame.function.contains("Module"));
    assert!(own.is_some(), "{:#?}", failure.backtrace);
}

#[test]
fn a_trap_without_a_message_has_that_of_the_engine() {
    let failure = failure("unreachable", "");
    assert_eq!(failure.kind, FailureKind::Trapped);
    assert_eq!(
        failure.to_string(),
        "the module panicked or trapped at position 3: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[test]
fn endless_work_is_ended() {
    let limits = RuntimeLimits { max_batch_time: Duration::from_millis(100), ..LIMITS };
    let failure = failure_with(limits, "endless_handle", "");
    assert_eq!(failure.kind, FailureKind::TimedOut);
    assert_eq!(
        failure.to_string(),
        "the module took too long at position 3: it computed for more than 0.1 s; the limit is max_batch_time"
    );
}

#[test]
fn memory_is_limited() {
    let limits = RuntimeLimits { max_memory_bytes: 16 * 1024 * 1024, ..LIMITS };
    let failure = failure_with(limits, "memory_hog", "");
    assert_eq!(failure.kind, FailureKind::OutOfMemory);
    assert_eq!(
        failure.to_string(),
        "the module ran out of memory at position 3: it needs 16842752 bytes of memory; the limit max_memory_bytes is 16777216"
    );
}

#[test]
fn memory_of_all_modules_together_is_limited() {
    let limits = RuntimeLimits { max_total_memory_bytes: 16 * 1024 * 1024, ..LIMITS };
    assert_eq!(
        failure_with(limits, "memory_hog", "").to_string(),
        "the module ran out of memory at position 3: it needs 16842752 bytes of memory; the limit max_total_memory_bytes is 16777216"
    );
}

#[test]
fn the_stack_is_limited() {
    let failure = failure("recursion", "");
    assert_eq!(failure.kind, FailureKind::Trapped);
    assert_eq!(
        failure.to_string(),
        "the module panicked or trapped at position 3: wasm trap: out of bounds memory access"
    );
    assert!(failure.backtrace.len() <= 40 && failure.backtrace.iter().any(|frame| frame.function.ends_with("descend")));
}

#[test]
fn an_exit_is_reported_with_its_status() {
    assert_eq!(message("exit", ""), "the module panicked or trapped at position 3: it exited with status 1");
}

#[test]
fn a_module_that_refuses_an_event_is_quoted() {
    let itself = failure("refuse", "itself");
    assert_eq!(itself.kind, FailureKind::Refused);
    assert_eq!(itself.to_string(), "the module could not handle the event at position 3: not this one");
    assert_eq!(message("refuse", "another"), "the module could not handle the event at position 3: not that one");
    assert_eq!(failure("refuse", "long").message.len(), 8192);
    assert_eq!(
        message("refuse", "odd characters"),
        r"the module could not handle the event at position 3: \u{0}\u{1b}[31mred"
    );
}

#[test]
fn memory_is_kept_between_batches_until_one_fails() {
    // So rows must not depend on it; `verify` detects it if they do.
    let mut instance = instance("remembers");
    let first = instance.handle(&[event(1, "Fine", "{}")], Box::new(NoRows)).unwrap();
    let second = instance.handle(&[event(2, "Fine", "{}")], Box::new(NoRows)).unwrap();
    assert_eq!((note(&first, 1), note(&second, 2)), ("1 seen", "2 seen"));
    assert_eq!(
        message("remembers", ""),
        "the module could not handle the event at position 3: Trigger: fails so that the host starts a new instance"
    );
}
