//! Writes 2⁵⁶ zeroes to stdout at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;
use wasip2::cli::stdout;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let _ = event;
            let _ = stdout::get_stdout().write_zeroes(u64::MAX >> 8);
            Ok(())
        })
    }
}

guest!(Module);
