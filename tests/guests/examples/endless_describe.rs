//! Computes without end in `describe`.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        let mut number = 1_u64;
        while std::hint::black_box(number) > 0 {
            number |= 1;
        }
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |_| Ok(()))
    }
}

guest!(Module);
