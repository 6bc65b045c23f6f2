//! Events as lines.

use std::io;

use crate::cli::output;

/// Prints an event in one line. Its data may have line breaks; in JSON these are white space between tokens and never part of a
/// string, so they can become spaces.
pub(super) fn print(event: &str) -> io::Result<()> {
    if event.contains(['\n', '\r']) {
        return output::data(event.replace(['\n', '\r'], " "));
    }
    output::data(event)
}
