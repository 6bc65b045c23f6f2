//! What is asked of the past.

use super::{as_of::AsOf, asked::Asked, location::content_location, respond::Frame};
use crate::{event_log::Position, http::state::Api, modules::ModuleVersion, read_model::Identifier};

/// What is asked of the past.
pub(super) struct PastQuestion<'a> {
    pub(super) projection: &'a Identifier,
    pub(super) table: &'a str,
    /// The query, without what says which moment.
    pub(super) query: &'a str,
    pub(super) max_query_bytes: usize,
    pub(super) as_of: AsOf,
    /// Whether the client waits for the build. A host lets those in that wait by the header or the URL, and not by a body.
    pub(super) waits: bool,
    /// Whether the query is that of the URL, which the next page follows.
    pub(super) is_of_url: bool,
}

impl PastQuestion<'_> {
    /// The query that names the moment by what is shown, however it was named: later requests of the same URL mean the same rows.
    pub(super) fn pinned(&self, position: Position, version: ModuleVersion) -> String {
        let and = if self.query.is_empty() { "" } else { "&" };
        format!("as_of={position}&version={version}{and}{}", self.query)
    }

    /// What an answer has beside its rows.
    pub(super) fn frame<'f>(&'f self, api: &Api, asked: &'f Asked, pinned: &'f str) -> Frame<'f> {
        Frame {
            asked,
            max_rows: api.settings.max_rows,
            location: content_location(self.projection.as_str(), self.table, pinned),
            page_of: self.is_of_url.then_some((self.projection, self.table, pinned)),
            is_past: true,
        }
    }
}
