//! Keeps state in memory, which modules must not do: it counts the events that its instance has handled. Its rows depend on how
//! events are split into batches and on when the host starts a new instance.

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

/// The count at an event.
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
            fail!("fails so that the host starts a new instance");
        }
        rows.put(Note { position: event.position.cast_signed(), text: format!("{seen} seen") });
        Ok(())
    }
}

gnomon_sdk::export!(Module);
