//! A version of `tally` with other tables: one more column, one of another type, one fewer, and one more table.

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
}

/// The sum of a stream's numbers.
#[derive(Table)]
#[table("tallies")]
struct Tally {
    #[key]
    stream: String,
    sum: String,
    events: i64,
    total: i64,
}

/// The newest number of a stream.
#[derive(Table)]
#[table("extras")]
struct Extra {
    #[key]
    stream: String,
    newest: i64,
}

struct Module;

impl Projection for Module {
    type Event = Counting;
    type Tables = (Tally, Extra);

    const CATEGORIES: &'static [&'static str] = &["count"];

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(Counted { n }) = event.data;
        let stream = event.stream_id();
        let new = || Tally { stream: stream.to_owned(), sum: String::new(), events: 0, total: 0 };
        let tally = rows.get_or_insert_with(stream, new);
        tally.total += n;
        tally.sum = format!("in all {}", tally.total);
        tally.events += 1;
        rows.put(Extra { stream: stream.to_owned(), newest: n });
        Ok(())
    }
}

gnomon_sdk::export!(Module);
