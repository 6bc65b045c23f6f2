//! Sleeps for an hour at a trigger.

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
            std::thread::sleep(std::time::Duration::from_secs(3600));
            Ok(())
        })
    }
}

guest!(Module);
