//! What is drawn by numbers: the same in each run.

use uuid::{Builder, Uuid};

/// From which all numbers are drawn.
const SEED: u64 = 14;

/// A number that is drawn by another one: the finaliser of `SplitMix64`.
pub(super) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The number that is drawn by that of an event.
pub(super) fn of_event(number: u64) -> u64 {
    mix(SEED ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d))
}

/// The id of an event.
pub(super) fn id_of_event(number: u64) -> Uuid {
    let drawn = u128::from(mix(of_event(number)));
    Builder::from_random_bytes(drawn.rotate_left(64).wrapping_add(number.into()).to_be_bytes()).into_uuid()
}
