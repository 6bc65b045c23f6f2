//! The position of the current event, for messages about panics and for log lines.

use std::cell::Cell;

thread_local! {
    static POSITION: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn set(position: u64) {
    POSITION.set(position);
}

pub(crate) fn get() -> u64 {
    POSITION.get()
}
