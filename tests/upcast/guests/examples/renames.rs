//! Rewrites an event `Old` to an event `A` at version 1, which other upcasters rewrite.

#![cfg(target_family = "wasm")]

use upcast_guests::{Batch, Descriptor, Event, Failure, Guest, Upcasted, events, made, sdk, step};

struct Renames;

impl Guest for Renames {
    fn describe() -> Descriptor {
        Descriptor { sdk: sdk(), steps: vec![step("Old", 1, 2, &["A"])] }
    }

    fn upcast(batch: Batch) -> Result<Vec<Vec<Upcasted>>, Failure> {
        let renamed = |event: Event| vec![Upcasted { data: event.data, tags: event.tags, ..made("A", 1, "") }];
        Ok(events(batch).into_iter().map(renamed).collect())
    }
}

upcast_guests::guest!(Renames);
