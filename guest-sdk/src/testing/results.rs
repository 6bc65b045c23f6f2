//! The results of the events of a test: handled by every plan, compared, and held against what a test expects.

use std::cell::OnceCell;

use super::{
    batches,
    difference::{difference, shown},
    event::{TestEvent, appended},
    log,
    run::{Outcome, Run, described, run},
    shown_effects,
    tables::{StoredTable, StoredTables, Write},
    tested::Tested,
};
use crate::{
    Table, Tables,
    event::RawEvent,
    reactor::{Effect, answers::Answer},
};

/// The results, once they are asked for.
#[derive(Default)]
pub(super) struct Results(OnceCell<TestResult>);

/// The result of the events.
pub(super) struct TestResult {
    /// What the module is called in messages.
    kind: &'static str,
    /// The events that the module was given.
    log: Vec<RawEvent>,
    /// The run with all events in one batch; all other runs had the same outcome.
    run: Run,
}

impl Results {
    /// The result of these events.
    ///
    /// # Panics
    /// It depends on how events are split into batches.
    #[track_caller]
    pub(super) fn of<M: Tested>(&self, events: &[TestEvent]) -> &TestResult {
        // With `get_or_init`, panics would be reported at its closure and not at the caller.
        if self.0.get().is_none() {
            let _ = self.0.set(run_all_plans::<M>(events));
        }
        match self.0.get() {
            Some(result) => result,
            None => unreachable!("it was just set"),
        }
    }
}

impl TestResult {
    /// Expects exactly these rows in the table of `T`.
    #[track_caller]
    pub(super) fn expect_rows<T: Table>(&self, expected: impl IntoIterator<Item = T>) {
        let expected = table_of(expected);
        let differs = difference(&T::SCHEMA, &expected, self.tables().table(T::SCHEMA.name), ["expected", "found"]);
        assert!(differs.is_empty(), "the rows of `{}` are not as expected:{differs}", T::SCHEMA.name);
    }

    /// Expects this row in the table of `T`, which may have others.
    #[track_caller]
    pub(super) fn expect_row<T: Table>(&self, expected: T) {
        let expected = table_of([expected]);
        let found = self.tables().table(T::SCHEMA.name);
        let mut same_key = found.clone();
        same_key.rows.retain(|key, _| expected.rows.contains_key(key));
        let differs = difference(&T::SCHEMA, &expected, &same_key, ["expected", "found"]);
        assert!(differs.is_empty(), "`{}` does not have the row:{differs}", T::SCHEMA.name);
    }

    /// Expects that the event at this position cannot be handled.
    #[track_caller]
    pub(super) fn expect_failure(&self, position: u64, words: &str) {
        match &self.run.outcome {
            Outcome::Failed { position: at, message } if *at == position && message.contains(words) => {}
            Outcome::Failed { position: at, message } => {
                let failed = self.described(*at);
                panic!("expected event {position} to fail with \"{words}\", but {failed} failed: {message}")
            }
            Outcome::Handled { .. } if !self.log.iter().any(|event| event.position == position) => {
                let kind = self.kind;
                panic!("expected event {position} to fail with \"{words}\", but the {kind} does not read it")
            }
            Outcome::Handled { .. } => {
                panic!("expected event {position} to fail with \"{words}\", but all events were handled")
            }
        }
    }

    /// Expects that `prefetch` requests every row that is read.
    #[track_caller]
    pub(super) fn expect_all_prefetched(&self) {
        if let Some(late) = self.run.late.first() {
            let key: Vec<String> = late.key.iter().map(ToString::to_string).collect();
            panic!(
                "{} read the row ({}) of `{}`, which `prefetch` had not requested",
                self.described(late.position),
                key.join(", "),
                late.table
            );
        }
    }

    /// The rows of the table of `T`, in the order of their keys.
    #[track_caller]
    pub(super) fn rows<T: Table>(&self) -> Vec<T> {
        let rows = self.tables().table(T::SCHEMA.name).rows.values();
        rows.map(|cells| match T::from_cells(cells.clone()) {
            Ok(row) => row,
            Err(failure) => panic!("{} of `{}`: {failure}", shown(&T::SCHEMA, cells), T::SCHEMA.name),
        })
        .collect()
    }

    /// The effects of the events after a position, in their order.
    #[track_caller]
    pub(super) fn effects_after(&self, position: u64) -> Vec<&Effect> {
        let later = self.handled().1.iter().filter(|answer| answer.position > position);
        later.flat_map(|answer| &answer.effects).collect()
    }

    #[track_caller]
    fn tables(&self) -> &StoredTables {
        self.handled().0
    }

    #[track_caller]
    fn handled(&self) -> (&StoredTables, &[Answer]) {
        match &self.run.outcome {
            Outcome::Handled { tables, answers } => (tables, answers),
            Outcome::Failed { position, message } => panic!("{} failed: {message}", self.described(*position)),
        }
    }

    fn described(&self, position: u64) -> String {
        described(&self.log, position).unwrap_or_else(|| format!("event {position}"))
    }
}

/// Handles the events by every plan, and compares the outcomes.
#[track_caller]
fn run_all_plans<M: Tested>(events: &[TestEvent]) -> TestResult {
    M::check_declarations();
    let log: Vec<RawEvent> = appended(events).into_iter().filter(M::is_wanted).collect();
    let streams: Vec<&str> = log.iter().map(|event| event.stream.as_str()).collect();
    let mut plans = batches::plans(&streams, M::IS_PARTITIONED).into_iter();
    let Some(first) = plans.next() else { unreachable!("the first plan is all events in one batch") };
    let reference = run::<M>(&first, &log);
    log::show(&reference.lines);
    for plan in plans {
        if matches!(reference.outcome, Outcome::Failed { .. }) && !plan.keeps_order() {
            // In another order, another event may fail first.
            continue;
        }
        let other = run::<M>(&plan, &log);
        if other.outcome == reference.outcome {
            continue;
        }
        let cause = if plan.keeps_order() {
            format!(
                "the result of `{}` depends on how events are split into batches. An event may affect later events only \
                 through rows: does the code use a static, a OnceLock or a thread-local?",
                M::FUNCTION
            )
        } else {
            "a row depends on events of several streams, but the projection declares PARTITIONED_BY: Partition::Stream."
                .to_owned()
        };
        panic!("{cause}\nA: {first}\nB: {plan}{}", differences::<M>(&log, &reference.outcome, &other.outcome));
    }
    TestResult { kind: M::KIND, log, run: reference }
}

fn differences<M: Tested>(log: &[RawEvent], left: &Outcome, right: &Outcome) -> String {
    if let (
        Outcome::Handled { tables: left, answers: left_answers },
        Outcome::Handled { tables: right, answers: right_answers },
    ) = (left, right)
    {
        let tables = M::Tables::schemas().into_iter().map(|schema| {
            let differs = difference(&schema, left.table(schema.name), right.table(schema.name), ["in A", "in B"]);
            if differs.is_empty() { differs } else { format!("\n`{}`:{differs}", schema.name) }
        });
        let effects = shown_effects::difference(&of(left_answers), &of(right_answers), ["in A", "in B"]);
        let effects = if effects.is_empty() { effects } else { format!("\neffects:{effects}") };
        return tables.chain([effects]).collect();
    }
    let ended = |outcome: &Outcome| match outcome {
        Outcome::Handled { .. } => "all events were handled".to_owned(),
        Outcome::Failed { position, message } => {
            format!("{} failed: {message}", described(log, *position).unwrap_or_default())
        }
    };
    format!("\nin A {}\nin B {}", ended(left), ended(right))
}

fn of(answers: &[Answer]) -> Vec<&Effect> {
    answers.iter().flat_map(|answer| &answer.effects).collect()
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
