//! Ends its process at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            std::process::exit(i32::try_from(event.position).unwrap_or_default());
        })
    }
}

guest!(Module);
