//! Returns a failure at a trigger. The data of the trigger selects its message and position.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let (position, message) = match word(event) {
                "itself" => (event.position, "not this one".to_owned()),
                "another" => (event.position + 1000, "not that one".to_owned()),
                "long" => (event.position, "long ".repeat(1 << 20)),
                _ => (event.position, "\u{0}\u{1b}[31mred".to_owned()),
            };
            Err(Failure { position, message })
        })
    }
}

guest!(Module);
