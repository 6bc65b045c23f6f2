//! Panics at a trigger, in a module that is written with the SDK.

#![cfg(target_family = "wasm")]

use gnomon_sdk::prelude::*;

#[derive(Events)]
enum Happening {
    #[event("Trigger")]
    Trigger,
    #[event(other)]
    Other,
}

/// A note.
#[derive(Table)]
#[table("notes")]
struct Note {
    #[key]
    position: i64,
    text: String,
}

struct Module;

impl Projection for Module {
    type Event = Happening;
    type Tables = Note;

    fn handle(event: &Event<Happening>, rows: &mut Rows) -> Result<(), Failure> {
        if let Happening::Trigger = event.data {
            #[allow(clippy::panic, reason = "that is what is tested")]
            {
                panic!("a bug at {}", event.stream);
            }
        }
        rows.put(Note { position: event.position.cast_signed(), text: event.event_type.to_string() });
        Ok(())
    }
}

gnomon_sdk::export!(Module);
