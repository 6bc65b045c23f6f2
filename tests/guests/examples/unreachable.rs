//! Executes `unreachable` at a trigger, without a message.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let _ = event;
            core::arch::wasm32::unreachable();
        })
    }
}

guest!(Module);
