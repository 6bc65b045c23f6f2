//! The next version of `tally`: it counts poison in a column of its own instead of refusing it, and has one column fewer.

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
}

/// The sum of a stream's numbers.
#[derive(Table)]
#[table("tallies")]
struct Tally {
    #[key]
    stream: String,
    sum: i64,
    events: i64,
    poison: i64,
}

struct Module;

impl Projection for Module {
    type Event = Counting;
    type Tables = Tally;

    const CATEGORIES: &'static [&'static str] = &["count"];

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        let stream = event.stream_id();
        let tally =
            rows.get_or_insert_with(stream, || Tally { stream: stream.to_owned(), sum: 0, events: 0, poison: 0 });
        if counted.poison {
            tally.poison += 1;
        } else {
            tally.sum += counted.n;
        }
        tally.events += 1;
        Ok(())
    }
}

gnomon_sdk::export!(Module);
