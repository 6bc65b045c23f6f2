//! Allocates memory without end at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            while std::hint::black_box(hoard.len() as u64) < u64::MAX - event.position {
                hoard.push(vec![1; 1 << 20]);
            }
            Ok(())
        })
    }
}

guest!(Module);
