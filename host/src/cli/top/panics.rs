//! Panics on purpose, so that a test sees what is left of the terminal. Programs without debug assertions do not have this.

/// Where the program panics.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// On the thread that draws.
    Screen,
    /// On a thread that asks the host.
    Poll,
}

/// Panics if the test asks for it here.
#[allow(clippy::panic, reason = "that is what it is for")]
pub(super) fn at(place: Place) {
    if std::env::var("GNOMON_TEST_TOP_PANICS").is_ok_and(|asked| asked == format!("{place:?}")) {
        panic!("the test asks for a panic at {place:?}");
    }
}
