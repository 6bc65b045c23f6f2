//! Has invalid steps: there is a gap between them, one leads to an earlier version, and two begin at the same version.

#![cfg(target_family = "wasm")]

use upcast_guests::{Descriptor, Event, Failure, Guest, Upcasted, step};

struct Gap;

impl Guest for Gap {
    fn describe() -> Descriptor {
        Descriptor { steps: vec![step("A", 1, 2), step("A", 3, 4), step("B", 2, 1), step("C", 1, 2), step("C", 1, 2)] }
    }

    fn upcast(_: Vec<Event>) -> Result<Vec<Vec<Upcasted>>, Failure> {
        Ok(Vec::new())
    }
}

upcast_guests::guest!(Gap);
