//! Names of streams as they are given to a command.

use crate::event_log::{NameError, StreamName};

/// The name of a stream. One that no URL can hold is refused here: its request would go elsewhere.
pub(super) fn stream_name(text: &str) -> Result<String, NameError> {
    StreamName::new(text).map(String::from)
}
