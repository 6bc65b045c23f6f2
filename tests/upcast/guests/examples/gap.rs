//! Has invalid steps: there is a gap between them, one leads to an earlier version, two begin at the same version, and one
//! produces types that no event has, or twice.

#![cfg(target_family = "wasm")]

use upcast_guests::{Batch, Descriptor, Failure, Guest, Upcasted, sdk, step};

struct Gap;

impl Guest for Gap {
    fn describe() -> Descriptor {
        let steps = vec![
            step("A", 1, 2, &["A"]),
            step("A", 3, 4, &["A"]),
            step("B", 2, 1, &["B"]),
            step("C", 1, 2, &["C"]),
            step("C", 1, 2, &["C"]),
            step("D", 1, 2, &["D", "", "D"]),
        ];
        Descriptor { sdk: sdk(), steps }
    }

    fn upcast(_: Batch) -> Result<Vec<Vec<Upcasted>>, Failure> {
        Ok(Vec::new())
    }
}

upcast_guests::guest!(Gap);
