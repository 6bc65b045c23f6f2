//! Events in the form of the contract.

use uuid::Uuid;

/// An event whose data is not read yet.
#[derive(Clone, Debug)]
pub(crate) struct RawEvent {
    pub(crate) position: u64,
    pub(crate) part: u32,
    pub(crate) stream: String,
    pub(crate) version: u64,
    pub(crate) id: Uuid,
    pub(crate) event_type: String,
    pub(crate) schema_version: u32,
    pub(crate) data: String,
    pub(crate) metadata: Option<String>,
    pub(crate) time: i64,
    pub(crate) recorded_at: i64,
    pub(crate) tags: Vec<String>,
}
