//! Ends its process at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(events: Vec<Event>) -> Result<(), Failure> {
        at_triggers(events, |event| {
            std::process::exit(i32::try_from(event.position).unwrap_or_default());
        })
    }
}

guest!(Module);
