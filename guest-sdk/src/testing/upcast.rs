//! What an upcaster makes of an event.

use std::marker::PhantomData;

use gnomon_values::json::CanonicalJson;

use super::{
    event::{TestEvent, appended, recorded},
    log, process,
};
use crate::{
    Upcaster,
    batch::FailureAt,
    event::RawEvent,
    upcaster::batch::{RawUpcasted, upcast as take_steps},
};

/// What an upcaster makes of an event, for a test to say.
pub struct Upcasting<U> {
    event: RawEvent,
    result: Result<Vec<RawUpcasted>, String>,
    upcaster: PhantomData<fn() -> U>,
}

/// Brings an event to where no step of the upcaster `U` goes on, as a host does.
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
/// The upcaster does, its steps go in a circle, or what it makes of the event depends on memory: it is asked twice.
#[track_caller]
#[must_use = "a test needs to say what it expects"]
pub fn upcast<U: Upcaster>(event: TestEvent) -> Upcasting<U> {
    let [event] = <[RawEvent; 1]>::try_from(appended(&[event])).unwrap_or_else(|_| unreachable!("it is one event"));
    let place = described(&event);
    let asked = process::in_fresh_memory(60, || log::collect(|| [settle::<U>(&event), settle::<U>(&event)]));
    let ([result, again], lines) = match asked {
        Ok(asked) => asked,
        Err(crash) => panic!("{place} stopped the upcaster: {}", crash.message),
    };
    log::show(&lines);
    if result != again {
        panic!(
            "what becomes of {place} depends on what the upcaster did before: is there a static, a OnceLock or a \
             thread-local?\nat first {}\nand then {}",
            shown_result(&result),
            shown_result(&again)
        );
    }
    Upcasting { event, result, upcaster: PhantomData }
}

impl<U: Upcaster> Upcasting<U> {
    /// Expects these events, in this order. The stream of each is the original's. Data is compared as JSON; metadata, too.
    ///
    /// # Panics
    /// There are others.
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
            "{} did not become what is expected\nexpected: {}\nfound: {}",
            described(&self.event),
            shown(&expected),
            shown(found)
        );
    }

    /// Expects that nothing is left of the event.
    ///
    /// # Panics
    /// Something is.
    #[track_caller]
    pub fn becomes_nothing(self) {
        self.becomes([]);
    }

    /// Expects that the event cannot be rewritten, for a reason that contains these words.
    ///
    /// # Panics
    /// It can be, or the reason is another.
    #[track_caller]
    pub fn fails(self, words: &str) {
        let place = described(&self.event);
        match self.result {
            Err(message) if message.contains(words) => {}
            Err(message) => panic!("expected {place} to fail with \"{words}\", but it failed: {message}"),
            Ok(found) => panic!("expected {place} to fail with \"{words}\", but it became {}", shown(&found)),
        }
    }
}

/// Brings events to where no step of the upcaster `U` goes on, for the test of a projection that is to read them:
/// `given::<Accounts>(upcast_all::<EurosToCents>(old_events))`. An event that becomes several has them one behind the other,
/// each with a position of its own.
///
/// # Panics
/// An event cannot be rewritten, or the steps go in a circle.
#[track_caller]
pub fn upcast_all<U: Upcaster>(events: impl IntoIterator<Item = TestEvent>) -> Vec<TestEvent> {
    let events: Vec<TestEvent> = events.into_iter().collect();
    let mut all = Vec::with_capacity(events.len());
    for event in appended(&events) {
        match settle::<U>(&event) {
            Ok(results) => all.extend(results.into_iter().map(|made| recorded(&event, made))),
            Err(message) => panic!("{} failed: {message}", described(&event)),
        }
    }
    all
}

/// Takes steps until none goes on.
fn settle<U: Upcaster>(event: &RawEvent) -> Result<Vec<RawUpcasted>, String> {
    walk::<U>(event, unchanged(event), &mut Vec::new()).map_err(|failure| failure.message)
}

fn walk<U: Upcaster>(
    original: &RawEvent,
    now: RawUpcasted,
    taken: &mut Vec<usize>,
) -> Result<Vec<RawUpcasted>, FailureAt> {
    let event = RawEvent {
        event_type: now.event_type.clone(),
        schema_version: now.schema_version,
        data: now.data.clone(),
        metadata: now.metadata.clone(),
        ..original.clone()
    };
    let Some(step) = U::STEPS.iter().position(|step| step.fits(&event)) else { return Ok(vec![now]) };
    assert!(
        !taken.contains(&step),
        "the upcaster turns {} in a circle: it is `{}` version {} again",
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
            "the upcaster made of `{}` version {} an event of the same type at version {}; its step leads to {to}",
            now.event_type,
            now.schema_version,
            made.schema_version
        );
        results.extend(walk::<U>(original, made, taken)?);
    }
    taken.pop();
    Ok(results)
}

fn unchanged(event: &RawEvent) -> RawUpcasted {
    RawUpcasted {
        event_type: event.event_type.clone(),
        schema_version: event.schema_version,
        data: event.data.clone(),
        metadata: event.metadata.clone(),
    }
}

fn is_same(left: &RawUpcasted, right: &RawUpcasted) -> bool {
    let shape = |made: &RawUpcasted| (made.event_type.clone(), made.schema_version);
    let metadata = |made: &RawUpcasted| made.metadata.as_deref().map(value);
    shape(left) == shape(right) && value(&left.data) == value(&right.data) && metadata(left) == metadata(right)
}

/// JSON in its one form; as it is where it has none.
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
        format!("\n  {} version {} {}{metadata}", event.event_type, event.schema_version, event.data)
    });
    lines.collect()
}
