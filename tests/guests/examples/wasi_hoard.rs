//! Opens streams of WASI without end at a trigger, and closes none.

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
            while event.position > 0 {
                std::mem::forget(stdout::get_stdout());
            }
            Ok(())
        })
    }
}

guest!(Module);
