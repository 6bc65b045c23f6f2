//! What the headers of a request ask for.

use axum::http::{HeaderMap, HeaderValue, Method, Version, header};

use super::{
    accept::negotiate, media::Media, position::Wanted, profile::accepted_profile, range::requested_range,
    refusal::ReadTableError,
};
use crate::{
    http::{prefer::Preferences, state::Api},
    queries::ReadRequest,
    read_model::{Identifier, query::RowRange},
};

/// What the headers of a request ask for.
pub(super) struct Asked {
    pub(super) media: Media,
    pub(super) preferences: Preferences,
    pub(super) wanted: Wanted,
    /// The schema that the client names.
    pub(super) profile: Option<HeaderValue>,
    range: Option<RowRange>,
    /// Whether only the headers of the answer are wanted.
    pub(super) is_head: bool,
    /// Whether the client has an answer, whichever it is, and wants none if there is one: `If-None-Match: *`.
    pub(super) has_any: bool,
    /// The version of HTTP.
    pub(super) version: Version,
}

impl Asked {
    /// Reads the headers.
    pub(super) async fn of(
        api: &Api,
        projection: &Identifier,
        (method, version): (&Method, Version),
        headers: &HeaderMap,
    ) -> Result<Self, ReadTableError> {
        let profile = accepted_profile(projection.as_str(), headers)?;
        let range = requested_range(method, headers)?;
        let media = negotiate(headers, api.settings.plans)?;
        let mut preferences = Preferences::from_headers(headers);
        if let Some(zone) = preferences.zone()
            && !is_utc(zone)
            && !api.queries.knows_zone(zone).await.map_err(|error| ReadTableError::Other(error.into()))?
        {
            preferences = preferences.without_zone();
        }
        preferences.check()?;
        let wanted = Wanted::of(api, projection, &preferences, headers)?;
        let is_head = method == Method::HEAD;
        let has_any = (is_head || method == Method::GET) && names_any(headers);
        Ok(Self { media, preferences, wanted, profile, range, is_head, has_any, version })
    }

    /// The request for the rows of a query string.
    pub(super) fn request<'a>(
        &'a self,
        api: &'a Api,
        projection: &'a Identifier,
        table: &'a str,
        query: &'a str,
    ) -> ReadRequest<'a> {
        ReadRequest {
            range: self.range,
            shape: self.media.shape,
            without_rows: self.is_head || self.has_any,
            count: self.preferences.count(),
            zone: self.preferences.zone().filter(|zone| !is_utc(zone)),
            plan: self.media.plan,
            ..ReadRequest::new(projection, table, query, &api.sending.reads)
        }
    }
}

/// Whether `If-None-Match` is `*`, which stands alone.
fn names_any(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::IF_NONE_MATCH).iter();
    values.next().is_some_and(|value| value.as_bytes().trim_ascii() == b"*") && values.next().is_none()
}

/// The zone of each session.
fn is_utc(zone: &str) -> bool {
    zone.eq_ignore_ascii_case("UTC")
}
