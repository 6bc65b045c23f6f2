//! Tests of an upcaster: the events that it makes of an event.

use std::{collections::BTreeSet, marker::PhantomData};

use gnomon_values::json::CanonicalJson;

use super::{
    event::{TestEvent, appended, check_tags, recorded},
    log, process,
};
use crate::{
    Upcaster,
    batch::FailureAt,
    event::{EventText, RawEvent},
    upcaster::batch::{RawUpcasted, upcast as take_steps},
};

/// The result of upcasting an event, for a test to check.
pub struct Upcasting<U> {
    event: RawEvent,
    result: Result<Vec<RawUpcasted>, String>,
    upcaster: PhantomData<fn() -> U>,
}

/// Rewrites an event until no step of the upcaster `U` continues, as a host does.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Deserialize)] struct Old { euros: i64 }
/// # #[derive(Serialize)] struct New { cents: i64 }
/// # struct EurosToCents;
/// # impl Upcast for EurosToCents {
/// #     const EVENT_TYPE: &'static str = "MoneyDeposited";
/// #     const FROM: u32 = 1;
/// #     const TO: u32 = 2;
/// #     type Old = Old;
/// #     type New = New;
/// #     fn upcast(event: Event<Old>) -> Result<Upcasted<New>, Failure> {
/// #         Ok(New { cents: event.data.euros * 100 }.into())
/// #     }
/// # }
/// use gnomon_sdk::testing::{event, json, upcast};
///
/// # fn euros_are_a_hundred_cents() {
/// upcast::<EurosToCents>(event("account-1", "MoneyDeposited", json!({ "euros": 5 })))
///     .becomes([event("account-1", "MoneyDeposited", json!({ "cents": 500 })).schema_version(2)]);
/// # }
/// # euros_are_a_hundred_cents();
/// ```
///
/// # Panics
/// The upcaster panics, its steps form a circle, or the result depends on memory: the upcaster is called twice.
#[track_caller]
#[must_use = "a test must check the result"]
pub fn upcast<U: Upcaster>(event: TestEvent) -> Upcasting<U> {
    let [event] = <[RawEvent; 1]>::try_from(appended(&[event])).unwrap_or_else(|_| unreachable!("it is one event"));
    let name = described(&event);
    let results =
        process::in_fresh_memory(60, || log::collect(|| [take_all_steps::<U>(&event), take_all_steps::<U>(&event)]));
    let ([result, again], lines) = match results {
        Ok(results) => results,
        Err(crash) => panic!("{name} stopped the upcaster: {}", crash.message),
    };
    log::show(&lines);
    if result != again {
        panic!(
            "the result of upcasting {name} depends on what the upcaster did before: does the code use a static, a OnceLock or a \
             thread-local?\nfirst: {}\nsecond: {}",
            shown_result(&result),
            shown_result(&again)
        );
    }
    Upcasting { event, result, upcaster: PhantomData }
}

impl<U: Upcaster> Upcasting<U> {
    /// Expects these events, in this order. Each has the stream of the original. Data and metadata are compared as JSON, tags without
    /// regard to their order.
    ///
    /// # Panics
    /// The result differs.
    #[track_caller]
    pub fn becomes(self, expected: impl IntoIterator<Item = TestEvent>) {
        let expected: Vec<TestEvent> = expected.into_iter().collect();
        let expected: Vec<RawUpcasted> = appended(&expected)
            .into_iter()
            .map(|event| {
                assert_eq!(event.stream, self.event.stream, "an upcaster cannot move an event to another stream");
                unchanged(&event)
            })
            .collect();
        let found = match &self.result {
            Ok(found) => found,
            Err(message) => panic!("{} failed: {message}", described(&self.event)),
        };
        let is_equal = found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| is_same(a, b));
        assert!(
            is_equal,
            "the result of upcasting {} is not as expected\nexpected: {}\nfound: {}",
            described(&self.event),
            shown(&expected),
            shown(found)
        );
    }

    /// Expects that the event becomes no event.
    ///
    /// # Panics
    /// It becomes one or more.
    #[track_caller]
    pub fn becomes_nothing(self) {
        self.becomes([]);
    }

    /// Expects that the event cannot be rewritten, with a message that contains `words`.
    ///
    /// # Panics
    /// It can be rewritten, or the message differs.
    #[track_caller]
    pub fn fails(self, words: &str) {
        let name = described(&self.event);
        match self.result {
            Err(message) if message.contains(words) => {}
            Err(message) => panic!("expected {name} to fail with \"{words}\", but it failed: {message}"),
            Ok(found) => panic!("expected {name} to fail with \"{words}\", but it became {}", shown(&found)),
        }
    }
}

/// Rewrites events until no step of the upcaster `U` continues, for the test of a projection that reads the results:
/// `given::<Accounts>(upcast_all::<EurosToCents>(old_events))`. The results of one event follow each other, each with a position
/// of its own.
///
/// # Panics
/// An event cannot be rewritten, or the steps form a circle.
#[track_caller]
pub fn upcast_all<U: Upcaster>(events: impl IntoIterator<Item = TestEvent>) -> Vec<TestEvent> {
    let events: Vec<TestEvent> = events.into_iter().collect();
    let mut all = Vec::with_capacity(events.len());
    for event in appended(&events) {
        match take_all_steps::<U>(&event) {
            Ok(results) => all.extend(results.into_iter().map(|made| recorded(&event, made))),
            Err(message) => panic!("{} failed: {message}", described(&event)),
        }
    }
    all
}

/// Takes steps until none continues.
fn take_all_steps<U: Upcaster>(event: &RawEvent) -> Result<Vec<RawUpcasted>, String> {
    walk::<U>(event, unchanged(event), &mut Vec::new()).map_err(|failure| failure.message)
}

fn walk<U: Upcaster>(
    original: &RawEvent,
    now: RawUpcasted,
    taken: &mut Vec<usize>,
) -> Result<Vec<RawUpcasted>, FailureAt> {
    let event = RawEvent {
        event_type: now.event_type.clone().into(),
        schema_version: now.schema_version,
        data: now.data.clone().into(),
        metadata: now.metadata.clone().map(EventText::from),
        tags: now.tags.clone(),
        ..original.clone()
    };
    let Some(step) = U::STEPS.iter().position(|step| step.fits(&event)) else { return Ok(vec![now]) };
    assert!(
        !taken.contains(&step),
        "the upcaster rewrites {} in a circle: it is `{}` version {} again",
        described(original),
        now.event_type,
        now.schema_version
    );
    taken.push(step);
    let mut results = Vec::new();
    for made in take_steps(U::STEPS, vec![event], |_| ())?.into_iter().flatten() {
        let to = U::STEPS[step].to;
        assert!(
            made.event_type != now.event_type || made.schema_version == to,
            "the upcaster rewrote `{}` version {} to the same type at version {}, but its step leads to version {to}",
            now.event_type,
            now.schema_version,
            made.schema_version
        );
        if let Err(reason) = check_tags(&made.tags) {
            panic!("the upcaster gave {} tags that a host refuses: {reason}", described(original));
        }
        results.extend(walk::<U>(original, made, taken)?);
    }
    taken.pop();
    Ok(results)
}

fn unchanged(event: &RawEvent) -> RawUpcasted {
    RawUpcasted {
        event_type: event.event_type.to_string(),
        schema_version: event.schema_version,
        data: event.data.to_string(),
        metadata: event.metadata.clone().map(String::from),
        tags: event.tags.clone(),
    }
}

fn is_same(left: &RawUpcasted, right: &RawUpcasted) -> bool {
    let shape = |made: &RawUpcasted| (made.event_type.clone(), made.schema_version);
    let metadata = |made: &RawUpcasted| made.metadata.as_deref().map(value);
    let tags = |made: &RawUpcasted| made.tags.iter().cloned().collect::<BTreeSet<String>>();
    shape(left) == shape(right)
        && value(&left.data) == value(&right.data)
        && metadata(left) == metadata(right)
        && tags(left) == tags(right)
}

/// JSON in canonical form; unchanged if it has none.
fn value(json: &str) -> String {
    CanonicalJson::parse(json).map_or_else(|_| json.to_owned(), String::from)
}

fn described(event: &RawEvent) -> String {
    format!("{} of {}", event.event_type, event.stream)
}

fn shown_result(result: &Result<Vec<RawUpcasted>, String>) -> String {
    match result {
        Ok(events) => shown(events),
        Err(message) => format!("it failed: {message}"),
    }
}

fn shown(events: &[RawUpcasted]) -> String {
    if events.is_empty() {
        return "nothing".to_owned();
    }
    let lines = events.iter().map(|event| {
        let metadata = event.metadata.as_ref().map(|metadata| format!(" with metadata {metadata}")).unwrap_or_default();
        let tags = if event.tags.is_empty() { String::new() } else { format!(" tagged {}", event.tags.join(", ")) };
        format!("\n  {} version {} {}{metadata}{tags}", event.event_type, event.schema_version, event.data)
    });
    lines.collect()
}
