//! A version of `obeys` that cannot go on with its rows: a column has another type.

#![cfg(target_family = "wasm")]

// Not through the library `guests`, which has the imports of another world.
#[path = "../src/obeys.rs"]
#[allow(dead_code, reason = "this one notes nothing of what it hears")]
mod orders;

use gnomon_sdk::prelude::*;

use self::orders::{Heard, obey};

/// Something that was heard.
#[derive(Table)]
#[table("heard")]
struct Row {
    #[key]
    position: i64,
    what: i64,
}

struct Module;

impl Reactor for Module {
    type Event = Heard;
    type Tables = Row;

    const CATEGORIES: &'static [&'static str] = &["told"];

    fn react(event: &Event<Heard>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        obey(event, 3, effects)?;
        rows.put(Row { position: event.position.cast_signed(), what: 0 });
        Ok(())
    }
}

gnomon_sdk::export_reactor!(Module);
