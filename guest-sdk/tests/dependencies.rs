//! Checks the dependencies of a module.

use std::{collections::BTreeSet, process::Command};

/// Each is part of every component, has to be trusted, and makes uploads larger. A new one needs a decision, and a line here.
const DEPENDENCIES: [&str; 16] = [
    "arrayvec",
    "chrono",
    "foldhash",
    "gnomon-sdk",
    "gnomon-values",
    "hashbrown",
    "itoa",
    "memchr",
    "num-traits",
    "rust_decimal",
    "serde",
    "serde_core",
    "serde_json",
    "uuid",
    "wit-bindgen",
    "zmij",
];

#[test]
fn a_component_contains_only_these_crates() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "gnomon-sdk", "--target", "wasm32-wasip2"])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("names are UTF-8");
    let found: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(found, BTreeSet::from(DEPENDENCIES));
}
