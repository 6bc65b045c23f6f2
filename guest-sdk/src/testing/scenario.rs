//! Tests of a projection: given events, when more happen, then rows.

use std::{cell::OnceCell, marker::PhantomData};

use gnomon_values::names;

use super::{
    batches, declared,
    difference::{difference, shown},
    event::{TestEvent, appended},
    log,
    run::{Outcome, Run, described, run},
    tables::{StoredTable, StoredTables, Write},
};
use crate::{Events, Partition, Projection, Table, Tables, event::RawEvent};

/// The events of a test, and their result.
pub struct Scenario<P> {
    events: Vec<TestEvent>,
    result: OnceCell<ScenarioResult>,
    projection: PhantomData<fn() -> P>,
}

/// The result of the events.
struct ScenarioResult {
    /// The events that the projection was given.
    log: Vec<RawEvent>,
    /// The run with all events in one batch; all other runs had the same outcome.
    run: Run,
}

/// Starts a test of the projection `P` with events that have happened before.
///
/// As in a host, the projection receives only events of the types, categories and tags that it reads.
#[must_use = "a test must call one of the `then_…` methods"]
pub fn given<P: Projection>(events: impl IntoIterator<Item = TestEvent>) -> Scenario<P> {
    const { crate::check_categories(P::CATEGORIES) };
    Scenario { events: events.into_iter().collect(), result: OnceCell::new(), projection: PhantomData }
}

impl<P: Projection> Scenario<P> {
    /// Adds the events that the test is about. They are handled like the given ones; the two methods only make the test easier to
    /// read.
    #[must_use = "a test must call one of the `then_…` methods"]
    pub fn when(mut self, events: impl IntoIterator<Item = TestEvent>) -> Self {
        self.events.extend(events);
        self.result = OnceCell::new();
        self
    }

    /// Expects exactly these rows in the table of `T`, in any order.
    ///
    /// # Panics
    /// The rows differ, or depend on how events are split into batches.
    #[track_caller]
    pub fn then_rows<T: Table>(self, expected: impl IntoIterator<Item = T>) -> Self {
        let expected = table_of(expected);
        let differs = difference(&T::SCHEMA, &expected, self.tables().table(T::SCHEMA.name), ["expected", "found"]);
        assert!(differs.is_empty(), "the rows of `{}` are not as expected:{differs}", T::SCHEMA.name);
        self
    }

    /// Expects this row in the table of `T`, which may have others.
    ///
    /// # Panics
    /// The table does not have it, or the rows depend on how events are split into batches.
    #[track_caller]
    pub fn then_row<T: Table>(self, expected: T) -> Self {
        let expected = table_of([expected]);
        let found = self.tables().table(T::SCHEMA.name);
        let mut same_key = found.clone();
        same_key.rows.retain(|key, _| expected.rows.contains_key(key));
        let differs = difference(&T::SCHEMA, &expected, &same_key, ["expected", "found"]);
        assert!(differs.is_empty(), "`{}` does not have the row:{differs}", T::SCHEMA.name);
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
        match &self.result().run.outcome {
            Outcome::Failed { position: at, message } if *at == position && message.contains(words) => {}
            Outcome::Failed { position: at, message } => {
                let failed = self.described(*at);
                panic!("expected event {position} to fail with \"{words}\", but {failed} failed: {message}")
            }
            Outcome::Rows(_) if !self.result().log.iter().any(|event| event.position == position) => {
                panic!("expected event {position} to fail with \"{words}\", but the projection does not read it")
            }
            Outcome::Rows(_) => {
                panic!("expected event {position} to fail with \"{words}\", but all events were handled")
            }
        }
        self
    }

    /// Expects that [`prefetch`](Projection::prefetch) requests every row that is read, so that a batch needs one call to the
    /// database for each table.
    ///
    /// # Panics
    /// A row was read that `prefetch` had not requested.
    #[track_caller]
    pub fn then_all_prefetched(self) -> Self {
        if let Some(late) = self.result().run.late.first() {
            let key: Vec<String> = late.key.iter().map(ToString::to_string).collect();
            panic!(
                "{} read the row ({}) of `{}`, which `prefetch` had not requested",
                self.described(late.position),
                key.join(", "),
                late.table
            );
        }
        self
    }

    /// The rows of the table of `T`, in the order of their keys.
    ///
    /// # Panics
    /// An event cannot be handled, or the rows depend on how events are split into batches.
    #[track_caller]
    pub fn rows<T: Table>(&self) -> Vec<T> {
        let rows = self.tables().table(T::SCHEMA.name).rows.values();
        rows.map(|cells| match T::from_cells(cells.clone()) {
            Ok(row) => row,
            Err(failure) => panic!("{} of `{}`: {failure}", shown(&T::SCHEMA, cells), T::SCHEMA.name),
        })
        .collect()
    }

    #[track_caller]
    fn tables(&self) -> &StoredTables {
        match &self.result().run.outcome {
            Outcome::Rows(tables) => tables,
            Outcome::Failed { position, message } => panic!("{} failed: {message}", self.described(*position)),
        }
    }

    fn described(&self, position: u64) -> String {
        described(&self.result().log, position).unwrap_or_else(|| format!("event {position}"))
    }

    #[track_caller]
    fn result(&self) -> &ScenarioResult {
        // With `get_or_init`, panics would be reported at its closure and not at the caller.
        if self.result.get().is_none() {
            let _ = self.result.set(run_all_plans::<P>(&self.events));
        }
        match self.result.get() {
            Some(result) => result,
            None => unreachable!("it was just set"),
        }
    }
}

/// Folds the events by every plan, and compares the outcomes.
#[track_caller]
fn run_all_plans<P: Projection>(events: &[TestEvent]) -> ScenarioResult {
    declared::check::<P>();
    let log: Vec<RawEvent> = appended(events).into_iter().filter(is_wanted::<P>).collect();
    let streams: Vec<&str> = log.iter().map(|event| event.stream.as_str()).collect();
    let mut plans = batches::plans(&streams, P::PARTITIONED_BY == Some(Partition::Stream)).into_iter();
    let Some(first) = plans.next() else { unreachable!("the first plan is all events in one batch") };
    let reference = run::<P>(&first, &log);
    log::show(&reference.lines);
    for plan in plans {
        if matches!(reference.outcome, Outcome::Failed { .. }) && !plan.keeps_order() {
            // In another order, another event may fail first.
            continue;
        }
        let other = run::<P>(&plan, &log);
        if other.outcome == reference.outcome {
            continue;
        }
        let cause = if plan.keeps_order() {
            "the result of `handle` depends on how events are split into batches. An event may affect later events only \
             through rows: does the code use a static, a OnceLock or a thread-local?"
        } else {
            "a row depends on events of several streams, but the projection declares PARTITIONED_BY: Partition::Stream."
        };
        panic!("{cause}\nA: {first}\nB: {plan}{}", differences::<P>(&log, &reference.outcome, &other.outcome));
    }
    ScenarioResult { log, run: reference }
}

/// Whether the host would deliver the event.
fn is_wanted<P: Projection>(event: &RawEvent) -> bool {
    let category = names::split_stream(&event.stream).0;
    let types = P::Event::WANTED;
    (P::CATEGORIES.is_empty() || P::CATEGORIES.contains(&category))
        && (P::Event::ALL_TYPES || types.iter().any(|wanted| wanted.event_type == event.event_type))
        && (P::TAGS.is_empty() || P::TAGS.iter().any(|wanted| event.tags.iter().any(|tag| tag == wanted)))
}

fn differences<P: Projection>(log: &[RawEvent], left: &Outcome, right: &Outcome) -> String {
    if let (Outcome::Rows(left), Outcome::Rows(right)) = (left, right) {
        let tables = P::Tables::schemas().into_iter().map(|schema| {
            let differs = difference(&schema, left.table(schema.name), right.table(schema.name), ["in A", "in B"]);
            if differs.is_empty() { differs } else { format!("\n`{}`:{differs}", schema.name) }
        });
        return tables.collect();
    }
    let ended = |outcome: &Outcome| match outcome {
        Outcome::Rows(_) => "all events were handled".to_owned(),
        Outcome::Failed { position, message } => {
            format!("{} failed: {message}", described(log, *position).unwrap_or_default())
        }
    };
    format!("\nin A {}\nin B {}", ended(left), ended(right))
}

#[track_caller]
fn table_of<T: Table>(rows: impl IntoIterator<Item = T>) -> StoredTable {
    let mut tables = StoredTables::new(vec![T::SCHEMA]);
    for mut row in rows {
        let cells = match row.settle().and_then(|_| row.to_cells()) {
            Ok(cells) => cells,
            Err(failure) => panic!("a row that is expected in `{}` is invalid: {failure}", T::SCHEMA.name),
        };
        let before = tables.table(T::SCHEMA.name).rows.len();
        tables.apply(&Write::Put { table: T::SCHEMA.name.to_owned(), rows: vec![cells.clone()] });
        if tables.table(T::SCHEMA.name).rows.len() == before {
            panic!(
                "two rows that are expected in `{}` have the same key as {}",
                T::SCHEMA.name,
                shown(&T::SCHEMA, &cells)
            );
        }
    }
    tables.table(T::SCHEMA.name).clone()
}
