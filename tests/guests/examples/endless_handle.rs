//! Computes without end at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let mut number = event.position;
            while std::hint::black_box(number) > 0 {
                number |= 1;
            }
            Ok(())
        })
    }
}

guest!(Module);
