//! Rewrites an event `Asked` to an event `Told`, as the reactor `obeys` reads it.

#![cfg(target_family = "wasm")]

use upcast_guests::{Batch, Descriptor, Event, Failure, Guest, Upcasted, events, made, sdk, step};

struct Asked;

impl Guest for Asked {
    fn describe() -> Descriptor {
        Descriptor { sdk: sdk(), steps: vec![step("Asked", 1, 2, &["Told"])] }
    }

    fn upcast(batch: Batch) -> Result<Vec<Vec<Upcasted>>, Failure> {
        let told = |event: Event| vec![Upcasted { data: event.data, tags: event.tags, ..made("Told", 1, "") }];
        Ok(events(batch).into_iter().map(told).collect())
    }
}

upcast_guests::guest!(Asked);
