//! A chain of real components.

use gnomon::runtime::{BatchError, Delivery, FailureKind, RuntimeLimits, UpcasterChain};

use test_support::upcaster;

use crate::{load_upcaster, told};

fn chain() -> UpcasterChain {
    let limits = RuntimeLimits { max_upcast_events: 100, ..RuntimeLimits::default() };
    let upcaster = load_upcaster("told", &upcaster("does_as_told"), limits);
    UpcasterChain::new([upcaster], &limits).unwrap()
}

fn shown(events: &[Delivery]) -> Vec<String> {
    let shown = |event: &Delivery| {
        format!("{}.{} {} {} {}", event.position, event.part, event.event_type, event.schema_version, event.data)
    };
    events.iter().map(shown).collect()
}

#[test]
fn events_are_rewritten_until_no_step_continues() {
    let mut events = vec![
        told(1, "A", 1, "x"),
        told(2, "C", 1, "y"),
        told(3, "A", 1, "split"),
        told(4, "A", 2, "vanish"),
        told(5, "A", 3, "panic"),
    ];
    let last = events[4].clone();
    chain().upcast(&mut events).unwrap();
    assert_eq!(
        shown(&events),
        [
            "1.0 A 3 \"x\"",
            "2.0 C 1 \"y\"",
            "3.0 A 3 \"left\"",
            "3.1 B 2 \"right\"",
            // An event at the newest version is not passed to the upcaster.
            "5.0 A 3 \"panic\"",
        ]
    );
    assert_eq!(events[4], last);
}

#[test]
fn an_event_has_the_tags_that_the_last_step_gave_it_each_once() {
    let mut events: Vec<Delivery> =
        (1..).zip(["x", "tagged", "untagged", "split"]).map(|(position, word)| told(position, "A", 1, word)).collect();
    events[1].tags = vec!["other".into()];
    chain().upcast(&mut events).unwrap();
    let tags: Vec<_> = events.iter().map(|event| (event.position.0, event.part, event.tags.join(", "))).collect();
    assert_eq!(
        tags.iter().map(|(position, part, tags)| (*position, *part, tags.as_str())).collect::<Vec<_>>(),
        [(1, 0, "course:c1, student:s7"), (2, 0, "course:c1, student:s7"), (3, 0, ""), (4, 0, ""), (4, 1, ""),]
    );
}

#[test]
fn a_failure_names_upcaster_and_event_and_changes_nothing() {
    let mut chain = chain();
    let mut events = vec![told(1, "A", 1, "x"), told(2, "A", 1, "panic"), told(3, "A", 2, "y")];
    let before = events.clone();
    let error = chain.upcast(&mut events).unwrap_err();
    assert!(error.to_string().starts_with("upcaster `told` version 7: the module panicked or trapped at position 2: "));
    let BatchError::Module(failure) = error.error else { panic!("{error}") };
    assert_eq!((failure.position.0, failure.kind), (2, FailureKind::Trapped));
    assert_eq!(events, before);
    // The chain continues with a new instance; the other events can be upcasted.
    events.remove(1);
    chain.upcast(&mut events).unwrap();
    assert_eq!(shown(&events), ["1.0 A 3 \"x\"", "3.0 A 3 \"y\""]);
}

#[test]
fn circles_and_too_many_results_are_refused() {
    let fails = |word: &str| chain().upcast(&mut vec![told(9, "A", 1, word)]).unwrap_err().to_string();
    assert_eq!(
        fails("circle"),
        "upcaster `told` version 7: the module broke the contract at position 9: the upcasters rewrite the event in a \
         circle: `A` 1 → `B` 1 → `A` 1"
    );
    assert_eq!(
        fails("multiply"),
        "upcaster `told` version 7: the module broke the contract at position 9: one event became 2500; the limit \
         max_upcast_events is 100"
    );
}
