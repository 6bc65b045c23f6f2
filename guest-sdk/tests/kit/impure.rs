//! Projections that keep state outside of their rows.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use gnomon_sdk::{prelude::*, testing::given};

use crate::{Counter, Counting, complaint, counted, counter};

/// Declares a projection of counters with this `handle`.
macro_rules! projection {
    ($name:ident, |$event:ident, $rows:ident| $handle:block $(, $partition:expr)?) => {
        struct $name;

        impl Projection for $name {
            type Event = Counting;
            type Tables = Counter;

            $(const PARTITIONED_BY: Option<Partition> = Some($partition);)?

            fn handle($event: &Event<Counting>, $rows: &mut Rows) -> Result<(), Failure> $handle
        }
    };
}

fn by(event: &Event<Counting>) -> i64 {
    let Counting::Counted(counted) = &event.data;
    counted.by
}

projection!(CountsInAStatic, |event, rows| {
    static TOTAL: AtomicI64 = AtomicI64::new(0);
    let total = TOTAL.fetch_add(by(event), Ordering::Relaxed) + by(event);
    rows.put(counter("all", total));
    Ok(())
});

projection!(RemembersTheFirstEvent, |event, rows| {
    static FIRST: OnceLock<i64> = OnceLock::new();
    let first = *FIRST.get_or_init(|| by(event));
    rows.put(counter(event.stream_id(), by(event) - first));
    Ok(())
});

thread_local! {
    static LAST: Cell<i64> = const { Cell::new(0) };
}

projection!(RemembersTheLastEventInItsThread, |event, rows| {
    rows.put(counter(event.stream_id(), by(event) - LAST.replace(by(event))));
    Ok(())
});

projection!(TakesTheFirstKeyOfAMap, |event, rows| {
    let numbers: HashMap<i64, ()> = (0..100).map(|number| (number, ())).collect();
    let first = numbers.into_keys().next().unwrap_or_default();
    rows.put(counter(event.stream_id(), first));
    Ok(())
});

projection!(LooksAtTheClock, |event, rows| {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    rows.put(counter(event.stream_id(), i64::try_from(now.as_nanos())?));
    Ok(())
});

projection!(RefusesRepetitionsThatItRemembers, |event, rows| {
    static SEEN: Mutex<Vec<i64>> = Mutex::new(Vec::new());
    let mut seen = SEEN.lock().map_err(|_| Failure::new("poisoned"))?;
    if seen.contains(&by(event)) {
        fail!("{} once more", by(event));
    }
    seen.push(by(event));
    rows.put(counter("last", by(event)));
    Ok(())
});

projection!(
    CountsOverStreams,
    |event, rows| {
        rows.get_or_insert_with::<Counter>("all", || counter("all", 0)).total = by(event);
        Ok(())
    },
    Partition::Stream
);

const CAUSE: &str = "depends on how events are split into batches";

#[test]
fn a_static_is_detected() {
    let said = complaint(|| {
        given::<CountsInAStatic>([counted("a", 5), counted("a", 7)]).then_rows([counter("all", 12)]);
    });
    assert!(said.contains(CAUSE), "{said}");
    assert!(said.contains("A: all events in one batch\nB: 2 batches of 1, memory lost, 1 events"), "{said}");
    assert!(said.contains("`counters`:\n  ~ counter \"all\": total is 12 in A, 7 in B"), "{said}");
}

#[test]
fn a_once_lock_is_detected() {
    let said = complaint(|| {
        given::<RemembersTheFirstEvent>([counted("a", 5), counted("b", 7)]).then_row(counter("b", 2));
    });
    assert!(said.contains(CAUSE), "{said}");
    assert!(said.contains("~ counter \"b\": total is 2 in A, 0 in B"), "{said}");
}

#[test]
fn a_thread_local_is_detected() {
    let said = complaint(|| {
        given::<RemembersTheLastEventInItsThread>([counted("a", 5), counted("b", 7)]).then_row(counter("b", 2));
    });
    assert!(said.contains(CAUSE), "{said}");
}

#[test]
fn the_order_of_a_hash_map_is_detected() {
    // The chance that a map has the same first key of a hundred in two runs is small enough after eight maps.
    let events = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|stream| counted(stream, 1));
    let said = complaint(|| {
        given::<TakesTheFirstKeyOfAMap>(events).rows::<Counter>();
    });
    assert!(said.contains(CAUSE), "{said}");
}

#[test]
fn a_clock_is_detected() {
    let said = complaint(|| {
        given::<LooksAtTheClock>([counted("a", 5), counted("b", 7)]).rows::<Counter>();
    });
    assert!(said.contains(CAUSE), "{said}");
}

#[test]
fn a_failure_that_depends_on_state_is_detected() {
    let said = complaint(|| {
        given::<RefusesRepetitionsThatItRemembers>([counted("a", 5), counted("b", 5)]).then_fails(2, "once more");
    });
    assert!(said.contains(CAUSE), "{said}");
    assert!(said.contains("in A event 2 (Counted of counter-b) failed: Counted: 5 once more"), "{said}");
    assert!(said.contains("in B all events were handled"), "{said}");
}

#[test]
fn state_that_shows_only_with_many_events_is_detected() {
    let events = (0..5_000).map(|event| counted(&(event % 7).to_string(), event));
    let said = complaint(|| {
        given::<RemembersTheFirstEvent>(events).rows::<Counter>();
    });
    assert!(said.contains(CAUSE), "{said}");
}

#[test]
fn a_row_of_several_streams_is_detected_if_partitioned_by_stream() {
    let said = complaint(|| {
        given::<CountsOverStreams>([counted("a", 5), counted("b", 7)]).then_rows([counter("all", 7)]);
    });
    assert!(said.contains("a row depends on events of several streams"), "{said}");
    assert!(said.contains("total is 7 in A, 5 in B"), "{said}");
}
