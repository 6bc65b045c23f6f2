//! A real module: the sample projection `bank`.

/// The component of the projection `bank`.
pub(super) fn bank() -> Vec<u8> {
    test_support::component("bank")
}

/// The same module with other bytes: another version with the same code.
pub(super) fn bank_with_other_bytes() -> Vec<u8> {
    let mut bytes = bank();
    // A custom section: its number 0, its size, and its name preceded by the length of the name.
    bytes.extend_from_slice(b"\x00\x06\x05again");
    bytes
}
