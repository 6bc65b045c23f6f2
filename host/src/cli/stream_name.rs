//! Names of streams as arguments of commands.

use crate::event_log::{NameError, StreamName};

/// Reads the name of a stream for clap. A name that cannot stand in a URL (`.`, `..`) is refused here, since its request would
/// have another path.
pub(super) fn stream_name(text: &str) -> Result<String, NameError> {
    StreamName::new(text).map(String::from)
}
