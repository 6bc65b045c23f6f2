//! A real module: the sample projection `bank`.

/// The component of the projection `bank`.
pub(super) fn bank() -> Vec<u8> {
    test_support::component("bank")
}

/// The same module with other bytes: another version that does the same.
pub(super) fn bank_again() -> Vec<u8> {
    let mut bytes = bank();
    // A custom section: its number, its size, and its name with the length of that.
    bytes.extend_from_slice(b"\x00\x06\x05again");
    bytes
}
