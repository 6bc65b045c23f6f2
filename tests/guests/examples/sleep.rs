//! Sleeps for an hour at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(events: Vec<Event>) -> Result<(), Failure> {
        at_triggers(events, |event| {
            let _ = event;
            std::thread::sleep(std::time::Duration::from_secs(3600));
            Ok(())
        })
    }
}

guest!(Module);
