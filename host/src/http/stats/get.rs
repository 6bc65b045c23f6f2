//! `GET /v1/stats`

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use gnomon_values::Instant;

use super::measurements::Measurements;
use crate::{
    api::{DEFAULT_STATS_DAYS, DEFAULT_STATS_LIMIT, MAX_STATS_DAYS, MAX_STATS_LIMIT, Stats, StatsQuery},
    event_log::{KEPT_STREAMS, WantedStatistics},
    http::{
        convert,
        etag::{tag_of, with_tag},
        extract::Params,
        problem::{Code, Problem},
        server_error::internal,
        state::Api,
    },
};

pub(in crate::http) async fn get(
    State(api): State<Api>,
    Extension(measurements): Extension<Measurements>,
    Params(query): Params<StatsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let limit = number("limit", query.limit, DEFAULT_STATS_LIMIT, MAX_STATS_LIMIT)?;
    let days = number("days", query.days, DEFAULT_STATS_DAYS, MAX_STATS_DAYS)?;
    let (found, measured) = tokio::join!(api.log.statistics(WantedStatistics { limit, days }), measurements.get());
    let stats = convert::stats(found?, measured);
    let tag = tag(&stats).map_err(|error| internal(&error))?;
    let content = serde_json::to_vec(&stats).map_err(|error| internal(&error))?;
    let mut response = with_tag(&headers, &tag, "application/json", content.into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The tag of statistics. It is a weak one: that the same was measured at another time makes no difference.
fn tag(stats: &Stats) -> Result<String, serde_json::Error> {
    let mut stats = stats.clone();
    if let Some(measured) = &mut stats.measured {
        measured.at = Instant(0);
    }
    Ok(format!("W/{}", tag_of(&serde_json::to_vec(&stats)?)))
}

// As many streams as may be asked for are known to be the longest.
const _: () = assert!(MAX_STATS_LIMIT <= KEPT_STREAMS);

fn number(name: &str, asked: Option<u64>, default: usize, max: usize) -> Result<usize, Problem> {
    let Some(asked) = asked else { return Ok(default) };
    match usize::try_from(asked) {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(Problem::new(Code::InvalidQuery, format!("`{name}` must be 1 to {max}; it is {asked}"))),
    }
}
