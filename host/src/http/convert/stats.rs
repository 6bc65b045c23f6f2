//! Statistics.

use gnomon_values::Instant;

use crate::{
    api,
    builds::BuildSize,
    event_log::{Counts, DayCounts, Growth, Ranked, Ranking, Statistics},
};

/// Statistics of the log, with what was measured a short while ago.
pub(in crate::http) fn stats(found: Statistics, measured: Option<api::Measured>) -> api::Stats {
    let Statistics { position, head, counts, longest_streams, types, categories, days } = found;
    api::Stats {
        position: position.0,
        head: head.0,
        events: counts.events,
        bytes: counts.bytes,
        streams: api::StreamStats {
            count: counts.streams,
            longest: longest_streams.into_iter().map(Into::into).collect(),
        },
        types: api::TypeStats {
            count: types.count,
            others: others(&types, counts),
            most: types.most.into_iter().map(Into::into).collect(),
        },
        categories: api::CategoryStats {
            count: categories.count,
            others: others(&categories, counts),
            most: categories.most.into_iter().map(Into::into).collect(),
        },
        days: days.into_iter().map(Into::into).collect(),
        measured,
    }
}

fn others(ranking: &Ranking, all: Counts) -> api::OtherCounts {
    let Counts { events, bytes, .. } = ranking.rest(all);
    api::OtherCounts { count: ranking.count.saturating_sub(ranking.most.len() as u64), events, bytes }
}

/// What was measured at a time.
pub(in crate::http) fn measured(at: Instant, log_bytes: u64, growth: Growth, builds: Vec<BuildSize>) -> api::Measured {
    api::Measured {
        at,
        log_bytes,
        events_in_an_hour: growth.in_an_hour,
        events_in_a_day: growth.in_a_day,
        events_in_a_week: growth.in_a_week,
        builds: builds.into_iter().map(Into::into).collect(),
    }
}

impl From<Ranked> for api::TypeCounts {
    fn from(Ranked { name, counts }: Ranked) -> Self {
        Self { r#type: name, events: counts.events, bytes: counts.bytes }
    }
}

impl From<Ranked> for api::CategoryCounts {
    fn from(Ranked { name, counts }: Ranked) -> Self {
        Self { category: name, streams: counts.streams, events: counts.events, bytes: counts.bytes }
    }
}

impl From<DayCounts> for api::DayStats {
    fn from(DayCounts { day, counts }: DayCounts) -> Self {
        Self { day, streams: counts.streams, events: counts.events, bytes: counts.bytes }
    }
}

impl From<BuildSize> for api::BuildSize {
    fn from(size: BuildSize) -> Self {
        let number = size.number.0;
        let (build, verification) = if size.is_verification { (None, Some(number)) } else { (Some(number), None) };
        Self {
            projection: size.projection.to_string(),
            build,
            verification,
            version: size.version.0,
            state: size.state.into(),
            bytes: size.bytes,
        }
    }
}
