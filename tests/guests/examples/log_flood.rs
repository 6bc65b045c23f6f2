//! Writes too much output at a trigger: very long lines, and very many lines.

#![cfg(target_family = "wasm")]
#![allow(clippy::print_stderr, reason = "that is what is tested")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            log::write(log::Level::Error, &"long ".repeat(1 << 20));
            log::write(log::Level::Info, "two\nlines, and \u{1b}[31mred");
            for _ in 0..100_000 {
                eprintln!("one of many");
            }
            eprint!("{}", "endless ".repeat(1 << 20));
            write_note(event.position, "said it all");
            Ok(())
        })
    }
}

guest!(Module);
