//! Effects in the form of the contract.

use serde::{Deserialize, Serialize};

/// An effect. Its texts are JSON where the contract says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Effect {
    Append {
        stream: String,
        /// 0 for a stream without events, `None` for any.
        expected: Option<u64>,
        events: Vec<RawEvent>,
    },
    Publish {
        sink: String,
        message_type: String,
        subject: Option<String>,
        data: String,
    },
    Call {
        sink: String,
        name: String,
        data: String,
    },
    Schedule {
        name: String,
        /// Microseconds since 1970.
        at: i64,
        data: String,
    },
    Cancel {
        name: String,
    },
}

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RawEvent {
    pub(crate) event_type: String,
    pub(crate) schema_version: u32,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
    pub(crate) tags: Vec<String>,
}
