//! A reactor that does what events of type `Told` tell it, and keeps what it has heard in rows of its own.

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
        obey(event, 1, effects)?;
        let count = rows.get_or_insert_with("all", || Count { name: "all".to_owned(), count: 0 });
        let before = count.count;
        count.count += 1;
        rows.put(Row { position: event.position.cast_signed(), what: said(&event.data), before });
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Module);
