//! Adds up the numbers of each stream, as `tally` does, and declares that each row depends on one stream. That is not true of events that are
//! marked as shared, which are also counted in a row of all streams.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;
use serde::Deserialize;

#[derive(Events)]
enum Counting {
    #[event("Counted")]
    Counted(Counted),
}

#[derive(Deserialize)]
struct Counted {
    n: i64,
    #[serde(default)]
    poison: bool,
    #[serde(default)]
    shared: bool,
}

/// The sum of a stream's numbers.
#[derive(Table)]
#[table("tallies")]
#[index("by_sum", columns(sum))]
struct Tally {
    #[key]
    stream: String,
    sum: i64,
    events: i64,
    last_version: i64,
}

struct Module;

impl Projection for Module {
    type Event = Counting;
    type Tables = Tally;

    const CATEGORIES: &'static [&'static str] = &["count"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        if counted.poison {
            fail!("it is poison");
        }
        add(rows, event.stream_id(), counted.n, event.version);
        if counted.shared {
            add(rows, "all", counted.n, event.version);
        }
        Ok(())
    }
}

fn add(rows: &mut Rows, row: &str, n: i64, version: u64) {
    let tally = rows.get_or_insert_with(row, || Tally { stream: row.to_owned(), sum: 0, events: 0, last_version: 0 });
    tally.sum += n;
    tally.events += 1;
    tally.last_version = version.cast_signed();
}

gnomon_sdk::export!(Module);
