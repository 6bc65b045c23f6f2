//! Tests of a projection: given events, when more happen, then rows.

use std::marker::PhantomData;

use super::{
    event::TestEvent,
    results::{Results, TestResult},
    tested::OfProjection,
};
use crate::{Projection, Table};

/// The events of a test, and their result.
pub struct Scenario<P> {
    events: Vec<TestEvent>,
    results: Results,
    projection: PhantomData<fn() -> P>,
}

/// Starts a test of the projection `P` with events that have happened before.
///
/// As in a host, the projection receives only events of the types, categories and tags that it reads.
#[must_use = "a test must call one of the `then_…` methods"]
pub fn given<P: Projection>(events: impl IntoIterator<Item = TestEvent>) -> Scenario<P> {
    const { crate::check_categories(P::CATEGORIES) };
    Scenario { events: events.into_iter().collect(), results: Results::default(), projection: PhantomData }
}

impl<P: Projection> Scenario<P> {
    /// Adds the events that the test is about. They are handled like the given ones; the two methods only make the test easier to
    /// read.
    #[must_use = "a test must call one of the `then_…` methods"]
    pub fn when(mut self, events: impl IntoIterator<Item = TestEvent>) -> Self {
        self.events.extend(events);
        self.results = Results::default();
        self
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

    /// Expects that [`prefetch`](Projection::prefetch) requests every row that is read, so that a batch needs one call to the
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
        self.results.of::<OfProjection<P>>(&self.events)
    }
}
