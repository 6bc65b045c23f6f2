//! Waits for time to pass at a trigger, by both functions of WASI.

#![cfg(target_family = "wasm")]

use guests::*;
use wasip2::{clocks::monotonic_clock, io::poll};

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let later = match word(event) {
                "duration" => monotonic_clock::subscribe_duration(3_600_000_000_000),
                _ => monotonic_clock::subscribe_instant(u64::MAX),
            };
            poll::poll(&[&later]);
            Ok(())
        })
    }
}

guest!(Module);
