//! Rows of the past that events were folded to for one answer.

use uuid::Uuid;

use super::{contents::Contents, origin::Origin, page::FIRST_PARAMETER, request::ReadRequest, tag::AnswerTag};
use crate::{event_log::Position, modules::ModuleVersion, read_model::RecordSet};

/// Rows of one table, from which a query is answered.
#[derive(Debug)]
pub struct ReplayedRows {
    pub(super) rows: RecordSet,
    /// What stands for the table in the statement.
    pub(super) sql: String,
    pub(super) contents: Contents,
    /// The version of the projection that made them.
    pub version: ModuleVersion,
    /// They hold the effect of every event up to this position.
    pub position: Position,
}

impl ReplayedRows {
    /// Rows at a position. The digest is that of the rows and of what made them.
    #[must_use]
    pub fn new(rows: RecordSet, version: ModuleVersion, position: Position, digest: &[u8; 32]) -> Self {
        let contents =
            Contents(Uuid::from_u128(digest[..16].iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))));
        Self { sql: rows.sql(FIRST_PARAMETER), rows, contents, version, position }
    }

    /// Where they come from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { build: None, version: self.version }
    }

    /// The tag of the answer to a request.
    #[must_use]
    pub fn tag(&self, request: &ReadRequest<'_>) -> AnswerTag {
        AnswerTag::of(self.contents, request)
    }
}
