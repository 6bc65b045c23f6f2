//! What the headers of a request ask for.

use axum::http::{HeaderMap, HeaderValue, Method, Version};

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
        Ok(Self { media, preferences, wanted, profile, range, is_head: method == Method::HEAD, version })
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
            without_rows: self.is_head,
            count: self.preferences.count(),
            zone: self.preferences.zone().filter(|zone| !is_utc(zone)),
            plan: self.media.plan,
            ..ReadRequest::new(projection, table, query, &api.sending.reads)
        }
    }
}

/// The zone of each session.
fn is_utc(zone: &str) -> bool {
    zone.eq_ignore_ascii_case("UTC")
}
