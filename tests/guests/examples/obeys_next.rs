//! The next version of `obeys`: it does not fail where that does, and its rows have one column more.

#![cfg(target_family = "wasm")]

// Not through the library `guests`, which has the imports of another world.
#[path = "../src/obeys.rs"]
mod orders;

use gnomon_sdk::prelude::*;

use self::orders::{Heard, obey, said};

/// Something that was heard.
#[derive(Table)]
#[table("heard")]
struct Row {
    #[key]
    position: i64,
    what: String,
    /// The version of the reactor.
    version: Option<i64>,
    /// How many there were before.
    before: i64,
}

/// How many there were.
#[derive(Table)]
#[table("counts")]
struct Count {
    #[key]
    name: String,
    count: i64,
}

struct Module;

impl Reactor for Module {
    type Event = Heard;
    type Tables = (Row, Count);

    const CATEGORIES: &'static [&'static str] = &["told"];
    const SINKS: &'static [&'static str] = &["mail", "bank"];

    fn react(event: &Event<Heard>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        obey(event, 2, effects)?;
        let count = rows.get_or_insert_with("all", || Count { name: "all".to_owned(), count: 0 });
        let before = count.count;
        count.count += 1;
        let (position, version) = (event.position.cast_signed(), Some(2));
        rows.put(Row { position, what: said(&event.data), version, before });
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Module);
