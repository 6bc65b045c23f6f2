//! A valid projection that reads events of type `B` only, into which upcasters split others.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum OnlyB {
    #[event("B")]
    B(String),
}

/// An event.
#[derive(Table)]
#[table("words")]
struct Word {
    #[key]
    position: i64,
    #[key]
    part: i32,
    word: String,
}

struct Module;

impl Projection for Module {
    type Event = OnlyB;
    type Tables = Word;

    fn handle(event: &Event<OnlyB>, rows: &mut Rows) -> Result<(), Failure> {
        let OnlyB::B(word) = &event.data;
        rows.put(Word { position: event.position.cast_signed(), part: event.part.cast_signed(), word: word.clone() });
        Ok(())
    }
}

gnomon_sdk::export!(Module);
