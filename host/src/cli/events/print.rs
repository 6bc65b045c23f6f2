//! Events as lines.

use std::io;

use crate::cli::output;

/// Prints an event in one line. Its data is as its writer wrote it, perhaps in several; in JSON a line's end outside of a text is
/// a space like any other, and inside of one there is none.
pub(super) fn print(event: &str) -> io::Result<()> {
    if event.contains(['\n', '\r']) {
        return output::data(event.replace(['\n', '\r'], " "));
    }
    output::data(event)
}
