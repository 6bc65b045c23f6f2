//! Tests for [reactors](crate::Reactor): given events, when more happen, then effects and rows.
//!
//! ```
//! # use gnomon_sdk::prelude::*;
//! # use gnomon_sdk::chrono::TimeDelta;
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Events)]
//! # enum OrderEvent {
//! #     #[event("OrderPlaced")] Placed,
//! #     #[event("OrderPaid")] Paid,
//! #     #[event("ScheduleDue")] Due(ScheduleDue),
//! # }
//! # #[derive(Table)]
//! # #[table("open_orders")]
//! # struct OpenOrder { #[key] order_id: String }
//! # struct Reminders;
//! # impl Reactor for Reminders {
//! #     type Event = OrderEvent;
//! #     type Tables = OpenOrder;
//! #     const SINKS: &'static [&'static str] = &["mail"];
//! #     fn react(event: &Event<OrderEvent>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
//! #         let order = event.stream.as_str();
//! #         match &event.data {
//! #             OrderEvent::Placed => {
//! #                 rows.put(OpenOrder { order_id: order.to_owned() });
//! #                 effects.schedule(order, event.time + TimeDelta::days(1), &());
//! #             }
//! #             OrderEvent::Paid => {
//! #                 rows.delete::<OpenOrder>(order);
//! #                 effects.cancel(order);
//! #             }
//! #             OrderEvent::Due(due) if rows.get::<OpenOrder>(&due.name).is_some() => {
//! #                 effects.publish("mail", Message::new("order.unpaid", &()).about(&due.name));
//! #             }
//! #             OrderEvent::Due(_) => {}
//! #         }
//! #         Ok(())
//! #     }
//! # }
//! use gnomon_sdk::testing::{event, json, reactor::{given, schedule_due}};
//!
//! // #[test]
//! fn an_order_that_is_not_paid_in_a_day_is_mentioned() {
//!     given::<Reminders>([])
//!         .when([event("order-1", "OrderPlaced", json!({})).at("2026-01-01T12:00:00Z")])
//!         .then_rows([OpenOrder { order_id: "order-1".into() }])
//!         .then_effects(|effects| {
//!             effects.schedule("order-1", "2026-01-02T12:00:00Z".parse().unwrap(), &());
//!         })
//!         .when([schedule_due("order-1", "2026-01-02T12:00:00Z", ())])
//!         .then_effects(|effects| {
//!             effects.publish("mail", Message::new("order.unpaid", &()).about("order-1"));
//!         });
//! }
//!
//! // #[test]
//! fn an_order_that_is_paid_is_not() {
//!     given::<Reminders>([event("order-1", "OrderPlaced", json!({})), event("order-1", "OrderPaid", json!({}))])
//!         .when([schedule_due("order-1", "2026-01-02T12:00:00Z", ())])
//!         .then_no_effects();
//! }
//! # an_order_that_is_not_paid_in_a_day_is_mentioned();
//! # an_order_that_is_paid_is_not();
//! ```
//!
//! Nothing happens by itself: what a host would append because of an effect, such as the event of a schedule, is an event of the test.
//! [Every test](super#what-every-test-checks-in-addition) runs with batches of several sizes, and fails if effects or rows differ, or if a
//! host would refuse an effect. The events of the reactor's own are in the streams of a module that is named like the crate.

use std::marker::PhantomData;

use gnomon_values::{names, own_events};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    declared::module_name,
    event::{TestEvent, event},
    results::{Results, TestResult},
    shown_effects,
    tested::OfReactor,
};
use crate::{Effects, Reactor, Table};

/// The events of a test, and their result.
pub struct Scenario<R> {
    events: Vec<TestEvent>,
    /// How many of the events are given; the effects of the others are expected.
    given: u64,
    results: Results,
    reactor: PhantomData<fn() -> R>,
}

/// Starts a test of the reactor `R` with events that have happened before. Their effects are not expected again.
///
/// As in a host, the reactor receives only events of the types, categories and tags that it reads, and its own.
#[must_use = "a test must call one of the `then_…` methods"]
pub fn given<R: Reactor>(events: impl IntoIterator<Item = TestEvent>) -> Scenario<R> {
    const {
        crate::check_categories(R::CATEGORIES);
        crate::reactor::check_sinks(R::SINKS);
    };
    Scenario { events: events.into_iter().collect(), given: 0, results: Results::default(), reactor: PhantomData }
}

impl<R: Reactor> Scenario<R> {
    /// Adds the events that the test is about. All events before them count as given from now on.
    #[must_use = "a test must call one of the `then_…` methods"]
    pub fn when(mut self, events: impl IntoIterator<Item = TestEvent>) -> Self {
        self.given = self.events.len() as u64;
        self.events.extend(events);
        self.results = Results::default();
        self
    }

    /// Expects exactly these effects of the events that were added last, in this order. `add` adds them as the reactor does.
    ///
    /// # Panics
    /// The effects differ, or depend on how events are split into batches.
    #[track_caller]
    pub fn then_effects(self, add: impl FnOnce(&mut Effects)) -> Self {
        let mut effects = Effects::default();
        add(&mut effects);
        let expected = match effects.finish() {
            Ok(expected) => expected,
            Err(failure) => panic!("an effect that is expected is invalid: {failure}"),
        };
        let expected: Vec<_> = expected.iter().collect();
        let found = self.result().effects_after(self.given);
        let differs = shown_effects::difference(&expected, &found, ["expected", "found"]);
        assert!(differs.is_empty(), "the effects are not as expected:{differs}");
        self
    }

    /// Expects no effects of the events that were added last.
    ///
    /// # Panics
    /// There are some, or they depend on how events are split into batches.
    #[track_caller]
    pub fn then_no_effects(self) -> Self {
        self.then_effects(|_| {})
    }

    /// Expects exactly these rows in the table of `T`, in any order.
    ///
    /// # Panics
    /// The rows differ, or depend on how events are split into batches.
    #[track_caller]
    pub fn then_rows<T: Table>(self, expected: impl IntoIterator<Item = T>) -> Self {
        self.result().expect_rows(expected);
        self
    }

    /// Expects this row in the table of `T`, which may have others.
    ///
    /// # Panics
    /// The table does not have it, or the rows depend on how events are split into batches.
    #[track_caller]
    pub fn then_row<T: Table>(self, expected: T) -> Self {
        self.result().expect_row(expected);
        self
    }

    /// Expects the table of `T` to be empty.
    ///
    /// # Panics
    /// It is not, or the rows depend on how events are split into batches.
    #[track_caller]
    pub fn then_no_rows<T: Table>(self) -> Self {
        self.then_rows::<T>([])
    }

    /// Expects that the event at this position cannot be handled, with a message that contains `words`. Position 1 is the first of
    /// the given events.
    ///
    /// # Panics
    /// All events can be handled, another event fails, or the message differs.
    #[track_caller]
    pub fn then_fails(self, position: u64, words: &str) -> Self {
        self.result().expect_failure(position, words);
        self
    }

    /// Expects that [`prefetch`](Reactor::prefetch) requests every row that is read, so that a batch needs one call to the
    /// database for each table.
    ///
    /// # Panics
    /// A row was read that `prefetch` had not requested.
    #[track_caller]
    pub fn then_all_prefetched(self) -> Self {
        self.result().expect_all_prefetched();
        self
    }

    /// The rows of the table of `T`, in the order of their keys.
    ///
    /// # Panics
    /// An event cannot be handled, or the rows depend on how events are split into batches.
    #[track_caller]
    pub fn rows<T: Table>(&self) -> Vec<T> {
        self.result().rows()
    }

    #[track_caller]
    fn result(&self) -> &TestResult {
        self.results.of::<OfReactor<R>>(&self.events)
    }
}

/// The event of a schedule, at its time.
///
/// # Panics
/// The text is not a time, or the data cannot be written as JSON.
#[track_caller]
pub fn schedule_due(name: &str, scheduled_for: &str, data: impl Serialize) -> TestEvent {
    let data = json!({ "name": name, "data": data, "scheduled_for": scheduled_for });
    own_event(name, own_events::SCHEDULE_DUE, data).at(scheduled_for)
}

/// The answer to a call.
///
/// # Panics
/// The data cannot be written as JSON.
#[track_caller]
pub fn call_succeeded(name: &str, status: u16, data: impl Serialize) -> TestEvent {
    let data = json!({ "name": name, "message": Uuid::nil(), "status": status, "data": data });
    own_event(name, own_events::CALL_SUCCEEDED, data)
}

/// The end of a call that was refused with a status, or never answered.
pub fn call_failed(name: &str, status: Option<u16>, reason: &str) -> TestEvent {
    let data = json!({ "name": name, "message": Uuid::nil(), "status": status, "reason": reason, "tries": 1 });
    own_event(name, own_events::CALL_FAILED, data)
}

/// The event in place of events that were not appended: the version that was expected of the stream, 0 for none, and the one that it has.
pub fn append_refused(stream: &str, expected: u64, current: u64) -> TestEvent {
    let reason = format!("the stream has version {current}, and not {expected}");
    let data = json!({
        "stream": stream, "reason": reason, "expected": expected, "current": current, "position": 1, "number": 0
    });
    own_event(stream, own_events::APPEND_REFUSED, data)
}

#[track_caller]
fn own_event(name: &str, event_type: &str, data: serde_json::Value) -> TestEvent {
    event(names::own_stream(&module_name(), name), event_type, data)
}
