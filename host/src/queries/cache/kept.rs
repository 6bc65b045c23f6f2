//! An answer as it is kept.

use bytes::Bytes;

use crate::queries::contents::Contents;

/// The bytes of a larger answer are not kept: reading it again costs more for the rows than for the statement, and it would take the place of many.
pub const MAX_KEPT_ANSWER_BYTES: usize = 256 * 1024;

/// An answer as it is kept. Position and build are those that a look finds: the checkpoint moves over events that change no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::queries) struct KeptAnswer {
    /// The rows that it is of.
    pub(in crate::queries) contents: Contents,
    /// Rows of the page.
    pub(in crate::queries) rows: u64,
    /// Rows before the page.
    pub(in crate::queries) offset: u64,
    /// All rows that match, if they were counted.
    pub(in crate::queries) total: Option<u64>,
    /// The cursor of the next page, if there is one.
    pub(in crate::queries) next: Option<String>,
    /// The page, as JSON.
    pub(in crate::queries) text: Bytes,
}
