//! Rewrites an event `Old` to an event `A` at version 1, which other upcasters rewrite.

#![cfg(target_family = "wasm")]

use upcast_guests::{Descriptor, Event, Failure, Guest, Upcasted, made, sdk, step};

struct Renames;

impl Guest for Renames {
    fn describe() -> Descriptor {
        Descriptor { sdk: sdk(), steps: vec![step("Old", 1, 2, &["A"])] }
    }

    fn upcast(events: Vec<Event>) -> Result<Vec<Vec<Upcasted>>, Failure> {
        let renamed = |event: Event| vec![Upcasted { data: event.data, tags: event.tags, ..made("A", 1, "") }];
        Ok(events.into_iter().map(renamed).collect())
    }
}

upcast_guests::guest!(Renames);
