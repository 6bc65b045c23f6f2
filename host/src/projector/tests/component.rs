//! A real module: the sample projection `bank`, as its author would build it.

use std::{path::Path, process::Command, sync::LazyLock};

static BANK: LazyLock<Vec<u8>> = LazyLock::new(build);

/// The component of the projection `bank`.
pub(super) fn bank() -> Vec<u8> {
    BANK.clone()
}

/// The same module with other bytes: another version that does the same.
pub(super) fn bank_again() -> Vec<u8> {
    let mut bytes = BANK.clone();
    // A custom section: its number, its size, and its name with the length of that.
    bytes.extend_from_slice(b"\x00\x06\x05again");
    bytes
}

fn build() -> Vec<u8> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "bank", "--release", "--target", "wasm32-wasip2"])
        .current_dir(repository)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| repository.join("target"), Into::into);
    std::fs::read(target.join("wasm32-wasip2/release/bank.wasm")).unwrap()
}
