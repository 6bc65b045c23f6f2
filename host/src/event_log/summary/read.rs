//! Reading statistics: the summary, and the events behind it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tracing::debug;

use super::{
    counted::counted,
    statistics::{Counts, DayCounts, Ranked, Ranking, Statistics, Tail, TailName},
};
use crate::{
    event_log::{
        event::{Position, StreamVersion},
        name::StreamName,
        streams::StreamSummary,
    },
    postgres::{ANSWER_TIMEOUT, PgTimestamp, sql_row, within},
};

/// Events behind the summary that an answer counts by itself. Where there are more, it is of the position of the summary.
pub const MAX_TAIL_EVENTS: u64 = 4096;
/// How long that may take, if the events are large.
const TAIL_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the summary may move between reading it and reading what is behind it, before the answer is of its position.
const ATTEMPTS: usize = 3;

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Types, categories and streams, of each at most so many.
    pub limit: usize,
    /// Days, at most.
    pub days: usize,
}

/// The summary, in one statement and so in one snapshot, with the head of the log.
const SUMMARY: &str = "
    SELECT summary.position, summary.recorded_at, events, bytes, streams, types, categories,
        head.position AS head, head.recorded_at AS head_stamp,
        summary.position <= head.position AND (log_id_of_summary IS NULL OR log_id_of_summary = head.log_id) AS is_of_this_log,
        (SELECT coalesce(json_agg(json_build_array(name, events, bytes, streams)), '[]')::text FROM (
            SELECT * FROM gnomon.log_summary_types ORDER BY events DESC, name LIMIT $1) AS most) AS most_types,
        (SELECT coalesce(json_agg(json_build_array(name, events, bytes, streams)), '[]')::text FROM (
            SELECT * FROM gnomon.log_summary_categories ORDER BY events DESC, name LIMIT $1) AS most) AS most_categories,
        (SELECT coalesce(json_agg(json_build_array(stream, version, last_position)), '[]')::text FROM (
            SELECT * FROM gnomon.log_summary_streams ORDER BY version DESC, stream LIMIT $1) AS longest) AS longest_streams,
        (SELECT coalesce(json_agg(json_build_array(day::text, events, bytes, streams)), '[]')::text FROM (
            SELECT * FROM gnomon.log_summary_days ORDER BY day DESC LIMIT $2) AS newest) AS newest_days
    FROM (SELECT *, log_id AS log_id_of_summary FROM gnomon.log_summary) AS summary CROSS JOIN gnomon.head";

struct SummaryRow {
    position: Position,
    recorded_at: PgTimestamp,
    events: i64,
    bytes: i64,
    streams: i64,
    types: i64,
    categories: i64,
    head: Position,
    head_stamp: PgTimestamp,
    is_of_this_log: bool,
    most_types: String,
    most_categories: String,
    longest_streams: String,
    newest_days: String,
}

sql_row!(SummaryRow {
    position,
    recorded_at,
    events,
    bytes,
    streams,
    types,
    categories,
    head,
    head_stamp,
    is_of_this_log,
    most_types,
    most_categories,
    longest_streams,
    newest_days,
});

/// The events behind the summary, with what it says of their names; where the summary is, and the stamp of the event there.
const TAIL: &str = concat!(
    "WITH tail AS MATERIALIZED (",
    counted!(),
    ")
    SELECT
        (SELECT position FROM gnomon.log_summary) AS position,
        (SELECT recorded_at FROM gnomon.events WHERE position = $1) AS recorded_at,
        (SELECT coalesce(json_agg(json_build_array(name, tail.events, tail.bytes, tail.streams, known.events, known.bytes, known.streams)),
            '[]')::text
         FROM (SELECT type AS name, count(*) AS events, sum(bytes)::bigint AS bytes, count(*) FILTER (WHERE version = 1) AS streams
               FROM tail GROUP BY type) AS tail
         LEFT JOIN gnomon.log_summary_types AS known USING (name)) AS types,
        (SELECT coalesce(json_agg(json_build_array(name, tail.events, tail.bytes, tail.streams, known.events, known.bytes, known.streams)),
            '[]')::text
         FROM (SELECT category AS name, count(*) AS events, sum(bytes)::bigint AS bytes, count(*) FILTER (WHERE version = 1) AS streams
               FROM tail GROUP BY category) AS tail
         LEFT JOIN gnomon.log_summary_categories AS known USING (name)) AS categories,
        (SELECT coalesce(json_agg(json_build_array(stream, version, last_position)), '[]')::text
         FROM (SELECT stream, max(version) AS version, max(position) AS last_position FROM tail
               GROUP BY stream ORDER BY version DESC, stream LIMIT $3) AS longest) AS streams,
        (SELECT coalesce(json_agg(json_build_array(day::text, events, bytes, streams)), '[]')::text
         FROM (SELECT day, count(*) AS events, sum(bytes)::bigint AS bytes, count(*) FILTER (WHERE version = 1) AS streams
               FROM tail GROUP BY day ORDER BY day) AS days) AS days"
);

struct TailRow {
    position: Position,
    recorded_at: Option<PgTimestamp>,
    types: String,
    categories: String,
    streams: String,
    days: String,
}

sql_row!(TailRow { position, recorded_at, types, categories, streams, days });

/// Reads statistics.
pub(in crate::event_log) async fn read(pool: &PgPool, wanted: Wanted) -> Result<Statistics, sqlx::Error> {
    within(ANSWER_TIMEOUT, "the summary of the log", try_read(pool, wanted)).await
}

async fn try_read(pool: &PgPool, wanted: Wanted) -> Result<Statistics, sqlx::Error> {
    let mut attempt = 1;
    loop {
        let row = summary(pool, wanted).await?;
        let (position, stamp, head) = (row.position, row.recorded_at, row.head);
        if !row.is_of_this_log {
            // The next step finds that out, too.
            return Ok(Statistics { head, ..Statistics::default() });
        }
        // At the head no event has to be looked at. The stamps are compared since a database that was restored may be as long as before.
        let is_at_head = position == head && stamp == row.head_stamp;
        let mut statistics = row.statistics()?;
        if is_at_head || head.0 - position.0 > MAX_TAIL_EVENTS {
            return Ok(statistics);
        }
        let found = within(TAIL_TIMEOUT, "the events behind the summary", tail(pool, position, head, wanted)).await;
        let row = match found {
            Ok(row) => row,
            Err(error) => {
                debug!(%error, "the events behind the summary of the log cannot be counted");
                return Ok(statistics);
            }
        };
        if row.recorded_at.is_some_and(|found| found != stamp) {
            return Ok(Statistics { head, ..Statistics::default() });
        }
        // Events never change, so what lies behind a position can be counted later. What the summary says of their names has to be of then.
        if row.position == position {
            statistics.add(row.tail()?, head, wanted.limit, wanted.days);
            return Ok(statistics);
        }
        if attempt == ATTEMPTS {
            return Ok(statistics);
        }
        attempt += 1;
    }
}

async fn summary(pool: &PgPool, wanted: Wanted) -> Result<SummaryRow, sqlx::Error> {
    sqlx::query_as(SUMMARY).bind(bigint(wanted.limit)).bind(bigint(wanted.days)).fetch_one(pool).await
}

async fn tail(pool: &PgPool, from: Position, to: Position, wanted: Wanted) -> Result<TailRow, sqlx::Error> {
    let tail = sqlx::query_as(TAIL).bind(from).bind(to).bind(bigint(wanted.limit));
    tail.persistent(false).fetch_one(pool).await
}

fn bigint(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl SummaryRow {
    fn statistics(self) -> Result<Statistics, sqlx::Error> {
        let ranked = |(name, events, bytes, streams)| Ranked { name, counts: Counts { events, bytes, streams } };
        let ranking = |count, most: &str| -> Result<_, sqlx::Error> {
            let most = list(most)?.into_iter().map(ranked).collect();
            Ok(Ranking { count: number(count), most })
        };
        let mut days = days(&self.newest_days)?;
        days.reverse();
        let counts = Counts { events: number(self.events), bytes: number(self.bytes), streams: number(self.streams) };
        Ok(Statistics {
            position: self.position,
            head: self.head,
            counts,
            longest_streams: streams(&self.longest_streams)?,
            types: ranking(self.types, &self.most_types)?,
            categories: ranking(self.categories, &self.most_categories)?,
            days,
        })
    }
}

impl TailRow {
    fn tail(self) -> Result<Tail, sqlx::Error> {
        type Name = (String, u64, u64, u64, Option<u64>, Option<u64>, Option<u64>);
        let named = |(name, events, bytes, streams, known_events, known_bytes, known_streams): Name| TailName {
            name,
            counts: Counts { events, bytes, streams },
            before: known_events.map(|events| Counts {
                events,
                bytes: known_bytes.unwrap_or_default(),
                streams: known_streams.unwrap_or_default(),
            }),
        };
        Ok(Tail {
            types: list(&self.types)?.into_iter().map(named).collect(),
            categories: list(&self.categories)?.into_iter().map(named).collect(),
            days: days(&self.days)?,
            streams: streams(&self.streams)?,
        })
    }
}

fn days(text: &str) -> Result<Vec<DayCounts>, sqlx::Error> {
    let day = |(day, events, bytes, streams)| DayCounts { day, counts: Counts { events, bytes, streams } };
    Ok(list(text)?.into_iter().map(day).collect())
}

fn streams(text: &str) -> Result<Vec<StreamSummary>, sqlx::Error> {
    let stream = |(name, version, last_position): (String, u64, u64)| StreamSummary {
        stream: StreamName::trusted(name),
        version: StreamVersion(version),
        last_position: Position(last_position),
    };
    Ok(list(text)?.into_iter().map(stream).collect())
}

/// What Postgres has put together. Numbers and texts within one column need no row of their own.
fn list<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
