//! Projections that keep no state outside of their rows, and use every method of `Rows`.

use std::sync::OnceLock;

use gnomon_sdk::{prelude::*, testing::given};

use crate::{Counter, Counting, counted, counter};

/// Counts, and copies totals between tables. A counter that reaches 100 is deleted.
struct MovesTotals;

impl Projection for MovesTotals {
    type Event = Counting;
    type Tables = (Counter, Fastest);

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        let name = event.stream_id();
        let total = rows.get::<Counter>(name).map_or(0, |counter| counter.total) + counted.by;
        if total >= limit() {
            rows.delete::<Counter>(name);
        } else {
            rows.put(counter(name, total));
        }
        let equal = rows.find(Counter::by_total(total));
        if equal.len() > 1 {
            let names: Vec<String> = equal.into_iter().map(|counter| counter.counter).collect();
            let fastest = rows.get_or_insert_with::<Fastest>(total, || Fastest { total, counters: Json(Vec::new()) });
            fastest.counters.0 = names;
        }
        if let Some(zero) = rows.get_mut::<Fastest>(0) {
            zero.counters.push(name.to_owned());
        }
        Ok(())
    }
}

/// Which counters came to a total.
#[derive(Table)]
#[table("fastest")]
struct Fastest {
    #[key]
    total: i64,
    counters: Json<Vec<String>>,
}

/// State that is always initialised to the same value does not affect rows.
fn limit() -> i64 {
    static LIMIT: OnceLock<i64> = OnceLock::new();
    *LIMIT.get_or_init(|| 100)
}

#[test]
fn a_projection_of_rows_alone_passes() {
    let names = |names: &[&str]| Json(names.iter().map(|&name| name.to_owned()).collect());
    given::<MovesTotals>([counted("b", 5), counted("a", 5), counted("c", 60)])
        .when([counted("c", 40), counted("d", 0), counted("e", 0), counted("a", 0), counted("b", 1)])
        .then_rows([counter("a", 5), counter("b", 6), counter("d", 0), counter("e", 0)])
        .then_rows([
            Fastest { total: 0, counters: names(&["d", "e", "e", "a", "b"]) },
            Fastest { total: 5, counters: names(&["a", "b"]) },
        ]);
}

#[test]
fn thousands_of_events_pass() {
    let events = (0..5_000).map(|event| counted(&(event % 7).to_string(), 1));
    given::<OnlyAdds>(events).then_rows((0..7).map(|name| counter(&name.to_string(), 714 + i64::from(name < 2))));
}

struct OnlyAdds;

impl Projection for OnlyAdds {
    type Event = Counting;
    type Tables = (Counter,);

    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        let name = event.stream_id();
        rows.get_or_insert_with::<Counter>(name, || counter(name, 0)).total += counted.by;
        Ok(())
    }
}

#[test]
fn no_events_make_no_rows() {
    given::<MovesTotals>([]).then_no_rows::<Counter>().then_no_rows::<Fastest>();
}
