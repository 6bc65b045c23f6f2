//! Calls itself until no stack is left.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            write_note(event.position, &descend(event.position).to_string());
            Ok(())
        })
    }
}

#[allow(unconditional_recursion, reason = "that is the point")]
fn descend(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    descend(frame[0] + 1) + frame[63]
}

guest!(Module);
