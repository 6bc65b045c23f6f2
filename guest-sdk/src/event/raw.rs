//! Events in the form of the contract.

use uuid::Uuid;

use super::text::EventText;

/// An event whose data is not read yet.
#[derive(Clone, Debug)]
pub(crate) struct RawEvent {
    pub(crate) position: u64,
    pub(crate) part: u32,
    pub(crate) stream: EventText,
    pub(crate) version: u64,
    pub(crate) id: Uuid,
    pub(crate) event_type: EventText,
    pub(crate) schema_version: u32,
    pub(crate) data: EventText,
    pub(crate) metadata: Option<EventText>,
    pub(crate) time: i64,
    pub(crate) recorded_at: i64,
    pub(crate) tags: Vec<String>,
}
