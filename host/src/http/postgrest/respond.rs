//! The headers and the body of an answer.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{asked::Asked, next_page, page::Page, position::POSITION, refusal::ReadTableError, session::SESSION};
use crate::{
    event_log::Position,
    http::{problem::Problem, server_error::internal},
    queries::{Answer, AnswerTag, Origin, Unchanged},
    read_model::Identifier,
};

/// Header of answers: the build that the rows are of.
const BUILD: HeaderName = HeaderName::from_static("gnomon-build");
/// Header of answers from the past: the past build that the rows are of.
pub(super) const PAST_BUILD: HeaderName = HeaderName::from_static("gnomon-past-build");
/// Header of answers: the version of the projection that made the rows.
pub(super) const VERSION: HeaderName = HeaderName::from_static("gnomon-version");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
/// Header of answers: the most rows that a page of this host has. After a page with so many, there may be more.
pub(super) const MAX_ROWS: HeaderName = HeaderName::from_static("gnomon-max-rows");
/// The headers of a request that change what is answered: those that PostgREST names, and one more.
pub(super) const VARY: HeaderValue = HeaderValue::from_static("Accept, Prefer, Range, Gnomon-As-Of");
/// Whoever keeps an answer asks each time whether it is still right.
const ALWAYS_ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// What an answer has beside its rows.
pub(super) struct Frame<'a> {
    pub(super) asked: &'a Asked,
    /// The most rows of a page.
    pub(super) max_rows: u64,
    /// Where the answer would be found without headers, if that is short.
    pub(super) location: Option<HeaderValue>,
    /// The projection, the table and the query of the URL, if it can be followed by that of the next page.
    pub(super) page_of: Option<(&'a Identifier, &'a str, &'a str)>,
    /// Whether the answer is of a moment of the past.
    pub(super) is_past: bool,
}

impl Frame<'_> {
    /// The answer with rows, or with a plan.
    pub(super) fn answer(&self, answer: Answer) -> Result<Response, ReadTableError> {
        let Self { asked, .. } = self;
        let page = Page { offset: answer.offset, rows: answer.rows, total: answer.total };
        let has_rows = asked.media.plan.is_none();
        if has_rows && asked.media.shape.is_object() {
            page.single()?;
        }
        let mut headers = self.headers(answer.position, answer.origin, answer.tag)?;
        next_page::add(&mut headers, self.page_of, answer.next.as_deref());
        headers.insert(header::CONTENT_TYPE, header_value(&asked.media.content_type())?);
        self.add_applied(&mut headers)?;
        let status = if has_rows {
            headers.insert(header::CONTENT_RANGE, header_value(&page.content_range())?);
            page.status()
        } else {
            Ok(StatusCode::OK)
        };
        match status {
            // Only now is it known that there is an answer: a query that is refused is refused all the same (RFC 9110, section 13.2.1).
            Ok(_) if asked.has_any => self.not_modified(answer.position, answer.origin, answer.tag),
            Ok(status) if asked.is_head => Ok((status, headers, nothing()).into_response()),
            Ok(status) => {
                // It is known, though the pieces go out one by one.
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.bytes()));
                Ok((status, headers, pieces(answer.body.into_pieces())).into_response())
            }
            Err(error) => {
                let range = headers.remove(header::CONTENT_RANGE);
                let problem = Problem::from(error);
                Ok(match range {
                    Some(range) => problem.with_header(header::CONTENT_RANGE, range),
                    None => problem,
                }
                .with_header(header::VARY, VARY)
                .into_response())
            }
        }
    }

    /// The answer to who has the rows already.
    pub(super) fn unchanged(&self, unchanged: &Unchanged) -> Result<Response, ReadTableError> {
        let Unchanged { tag, position, origin } = *unchanged;
        self.not_modified(position, origin, Some(tag))
    }

    /// The answer to who has an answer already.
    pub(super) fn not_modified(
        &self,
        position: Position,
        origin: Origin,
        tag: Option<AnswerTag>,
    ) -> Result<Response, ReadTableError> {
        let headers = self.headers(position, origin, tag)?;
        Ok((StatusCode::NOT_MODIFIED, headers, nothing()).into_response())
    }

    /// Adds what was applied of what the client has asked for.
    pub(super) fn add_applied(&self, headers: &mut HeaderMap) -> Result<(), ReadTableError> {
        if let Some(applied) = self.asked.preferences.applied() {
            headers.insert(PREFERENCE_APPLIED, header_value(&applied)?);
        }
        if let Some(profile) = &self.asked.profile {
            headers.insert(CONTENT_PROFILE, profile.clone());
        }
        Ok(())
    }

    /// The headers that every answer has, also one without a body.
    pub(super) fn headers(
        &self,
        position: Position,
        Origin { build, version }: Origin,
        tag: Option<AnswerTag>,
    ) -> Result<HeaderMap, ReadTableError> {
        let mut headers = HeaderMap::new();
        headers.insert(POSITION, HeaderValue::from(position.0));
        headers.insert(VERSION, HeaderValue::from(version.0));
        if let Some(build) = build {
            headers.insert(if self.is_past { PAST_BUILD } else { BUILD }, HeaderValue::from(u64::from(build)));
        }
        headers.insert(MAX_ROWS, HeaderValue::from(self.max_rows));
        headers.insert(header::VARY, VARY);
        headers.insert(header::CACHE_CONTROL, ALWAYS_ASK);
        // A client that looks into the past has seen no more of the present than before.
        let session = match self.is_past {
            false => self.asked.wanted.session_after(position),
            true => self.asked.wanted.session_as_before(),
        };
        if let Some(session) = session {
            headers.insert(SESSION, session);
        }
        if let Some(tag) = tag {
            headers.insert(header::ETAG, header_value(&weak(tag))?);
        }
        if let Some(location) = &self.location {
            headers.insert(header::CONTENT_LOCATION, location.clone());
        }
        Ok(headers)
    }
}

/// The tag as a header has it. It is weak, since it says that the rows are the same and not that each byte is.
pub(super) fn weak(tag: AnswerTag) -> String {
    format!("W/\"{tag}\"")
}

/// A body of which it is not said how long it is: that of the same answer with its rows is not known.
fn nothing() -> Body {
    pieces(Vec::new())
}

fn pieces(pieces: Vec<Bytes>) -> Body {
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)))
}

/// The tags of the answers that the client has, of the form in which this host writes them. `*` is no tag: whether there is an answer is known only
/// when the query has been run ([`Asked::has_any`]).
pub(super) fn known_tags(headers: &HeaderMap) -> Option<Vec<&str>> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    (!tags.is_empty()).then_some(tags)
}

pub(super) fn header_value(text: &str) -> Result<HeaderValue, ReadTableError> {
    HeaderValue::from_str(text).map_err(|error| ReadTableError::Other(internal(&error)))
}
