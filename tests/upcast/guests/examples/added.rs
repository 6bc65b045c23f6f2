//! Rewrites an event `Added` to an event `Counted`, as `tally` reads it.

#![cfg(target_family = "wasm")]

use upcast_guests::{Batch, Descriptor, Event, Failure, Guest, Upcasted, events, made, sdk, step};

struct Added;

impl Guest for Added {
    fn describe() -> Descriptor {
        Descriptor { sdk: sdk(), steps: vec![step("Added", 1, 2, &["Counted"])] }
    }

    fn upcast(batch: Batch) -> Result<Vec<Vec<Upcasted>>, Failure> {
        let renamed = |event: Event| vec![Upcasted { data: event.data, tags: event.tags, ..made("Counted", 1, "") }];
        Ok(events(batch).into_iter().map(renamed).collect())
    }
}

upcast_guests::guest!(Added);
