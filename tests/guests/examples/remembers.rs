//! Keeps in its memory what it must not: it counts the events that it has seen since it was started. What it writes
//! depends on how events fell into batches and on when its host gave it fresh memory.

#![cfg(target_family = "wasm")]

use std::cell::Cell;

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum Happening {
    #[event("Trigger")]
    Trigger,
    #[event(other)]
    Other,
}

/// What it remembered at an event.
#[derive(Table)]
#[table("notes")]
struct Note {
    #[key]
    position: i64,
    text: String,
}

thread_local! {
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

struct Module;

impl Projection for Module {
    type Event = Happening;
    type Tables = Note;

    fn handle(event: &Event<Happening>, rows: &mut Rows) -> Result<(), Failure> {
        let seen = SEEN.get() + 1;
        SEEN.set(seen);
        if let Happening::Trigger = event.data {
            fail!("it fails so that it is given fresh memory");
        }
        rows.put(Note { position: event.position.cast_signed(), text: format!("{seen} seen") });
        Ok(())
    }
}

gnomon_sdk::export!(Module);
