//! Requests a huge number of random bytes at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;
use wasip2::random::random;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let bytes = random::get_random_bytes(1 << 40);
            write_note(event.position, &format!("{} bytes", bytes.len()));
            Ok(())
        })
    }
}

guest!(Module);
