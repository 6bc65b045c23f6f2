//! Counts the numbers of each stream, as another version of `tally_by_stream`.

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

/// The numbers of a stream.
#[derive(Table)]
#[table("tallies")]
struct Tally {
    #[key]
    stream: String,
    events: i64,
    last: i64,
}

struct Module;

impl Projection for Module {
    type Event = Counting;
    type Tables = Tally;

    const CATEGORIES: &'static [&'static str] = &["count"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(Counted { n }) = &event.data;
        let stream = event.stream_id();
        let tally = rows.get_or_insert_with(stream, || Tally { stream: stream.to_owned(), events: 0, last: 0 });
        (tally.events, tally.last) = (tally.events + 1, *n);
        Ok(())
    }
}

gnomon_sdk::export!(Module);
