//! Writes to stdout and stderr, and to its log.

#![cfg(target_family = "wasm")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "that is what is tested")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            println!("position {} on stdout", event.position);
            eprintln!("position {} on stderr", event.position);
            log::write(log::Level::Info, "its log");
            write_note(event.position, "printed");
            Ok(())
        })
    }
}

guest!(Module);
