//! A valid projection that adds up the numbers of each stream, and refuses events that are marked as poison.

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

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        if counted.poison {
            fail!("it is poison");
        }
        let stream = event.stream_id();
        let tally =
            rows.get_or_insert_with(stream, || Tally { stream: stream.to_owned(), sum: 0, events: 0, last_version: 0 });
        tally.sum += counted.n;
        tally.events += 1;
        tally.last_version = event.version.cast_signed();
        Ok(())
    }
}

gnomon_sdk::export!(Module);
