//! Statistics for people.

use std::fmt::Write as _;

use comfy_table::Table;

use super::{
    bars::{Bars, Row},
    days::without_gaps,
};
use crate::{
    api::{BuildSize, Measured, OtherCounts, Stats},
    cli::figures::{bytes, count, counted},
};

/// All of it, in parts with an empty line between.
pub(super) fn text(stats: &Stats, days: usize, bars: Bars) -> String {
    let mut text = head(stats);
    let mut part = |table: &Table| {
        let _ = write!(text, "\n\n{}", table.trim_fmt());
    };
    if stats.events > 0 {
        let mut types: Vec<Row> = stats.types.most.iter().map(|of| named(&of.r#type, of.events, of.bytes)).collect();
        types.extend(others(stats.types.others, "type", "types"));
        part(&bars.table(&["TYPE", "#EVENTS", "#BYTES"], &types));
        let categories = stats.categories.most.iter().map(|of| {
            let name = if of.category.is_empty() { "(none)" } else { &of.category };
            let (mut cells, events) = named(name, of.events, of.bytes);
            cells.insert(1, count(of.streams).to_string());
            (cells, events)
        });
        let mut categories: Vec<Row> = categories.collect();
        categories.extend(others(stats.categories.others, "category", "categories").map(|(mut cells, events)| {
            cells.insert(1, String::new());
            (cells, events)
        }));
        part(&bars.table(&["CATEGORY", "#STREAMS", "#EVENTS", "#BYTES"], &categories));
        let streams = stats.streams.longest.iter().map(|of| {
            (vec![of.stream.clone(), count(of.version).to_string(), count(of.last_position).to_string()], of.version)
        });
        part(&bars.table(&["STREAM", "#EVENTS", "#LAST POSITION"], &streams.collect::<Vec<_>>()));
        let days = without_gaps(&stats.days, days).into_iter().map(|of| {
            let cells = vec![of.day, count(of.events).to_string(), bytes(of.bytes).to_string()];
            (cells, of.events)
        });
        part(&bars.table(&["DAY", "#EVENTS", "#BYTES"], &days.collect::<Vec<_>>()));
    }
    if let Some(measured) = &stats.measured
        && !measured.builds.is_empty()
    {
        let builds: Vec<Row> = measured.builds.iter().map(build).collect();
        part(&bars.table(&["BUILD", "#VERSION", "STATE", "#BYTES"], &builds));
    }
    text
}

/// That the log has more than was counted, if it has.
pub(super) fn behind(stats: &Stats) -> Option<String> {
    let behind = stats.head.saturating_sub(stats.position);
    (behind > 0).then(|| {
        format!(
            "counted up to position {}; {} behind it, up to {}, {} counted in the background",
            count(stats.position),
            counted(behind, "event"),
            count(stats.head),
            if behind == 1 { "is" } else { "are" }
        )
    })
}

fn head(stats: &Stats) -> String {
    let (events, streams) = (counted(stats.events, "event"), counted(stats.streams.count, "stream"));
    let (types, categories) = (counted(stats.types.count, "type"), of_categories(stats.categories.count));
    let mut text =
        format!("{events} of {types} in {streams} of {categories}, {} of data and metadata", bytes(stats.bytes));
    if let Some(Measured { log_bytes, events_in_an_hour, events_in_a_day, events_in_a_week, .. }) = &stats.measured {
        let _ = write!(
            text,
            "\nappended: {} in the last hour, {} in the last 24 hours, {} in the last 7 days\nthe log takes {} in Postgres",
            count(*events_in_an_hour),
            count(*events_in_a_day),
            count(*events_in_a_week),
            bytes(*log_bytes)
        );
        let builds: u64 = measured_builds(stats);
        if builds > 0 {
            let _ = write!(text, ", the builds {}", bytes(builds));
        }
    }
    text
}

fn measured_builds(stats: &Stats) -> u64 {
    stats.measured.iter().flat_map(|measured| &measured.builds).map(|build| build.bytes).sum()
}

fn of_categories(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "category" } else { "categories" })
}

fn named(name: &str, events: u64, of_bytes: u64) -> Row {
    (vec![name.to_owned(), count(events).to_string(), bytes(of_bytes).to_string()], events)
}

/// A row for all that is not listed, if there is anything. It has no bar: it may be more than all others.
fn others(others: OtherCounts, one: &str, several: &str) -> Option<Row> {
    let what = if others.count == 1 { one } else { several };
    let (cells, _) = named(&format!("({} other {what})", count(others.count)), others.events, others.bytes);
    (others.count > 0).then_some((cells, 0))
}

fn build(size: &BuildSize) -> Row {
    let BuildSize { projection, build, verification, version, state, bytes: of_bytes } = size;
    let name = match (build, verification) {
        (Some(build), _) => format!("{projection} {build}"),
        (None, Some(verification)) => format!("{projection} verification {verification}"),
        (None, None) => projection.clone(),
    };
    (vec![name, version.to_string(), state.to_string(), bytes(*of_bytes).to_string()], *of_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stats: serde_json::Value) -> Stats {
        serde_json::from_value(stats).unwrap()
    }

    #[test]
    fn statistics_are_tables_with_bars() {
        let stats = read(serde_json::json!({
            "position": 6_000_000, "head": 6_000_001, "events": 6_000_000, "bytes": 1_205_000_000,
            "streams": {"count": 20_000, "longest": [
                {"stream": "account-7", "version": 1200, "last_position": 5_999_999},
                {"stream": "account-9", "version": 900, "last_position": 6_000_000}]},
            "types": {"count": 12, "most": [
                {"type": "MoneyDeposited", "events": 4_000_000, "bytes": 800_000_000},
                {"type": "MoneyWithdrawn", "events": 1_990_000, "bytes": 404_000_000}],
                "others": {"count": 10, "events": 10_000, "bytes": 1_000_000}},
            "categories": {"count": 2, "most": [
                {"category": "account", "streams": 19_999, "events": 5_999_999, "bytes": 1_204_999_000},
                {"category": "", "streams": 1, "events": 1, "bytes": 1000}],
                "others": {"count": 0, "events": 0, "bytes": 0}},
            "days": [
                {"day": "2026-04-28", "streams": 0, "events": 1_000_000, "bytes": 200_000_000},
                {"day": "2026-05-01", "streams": 20_000, "events": 5_000_000, "bytes": 1_005_000_000}],
            "measured": {
                "at": "2026-05-01T10:17:00.000123Z", "log_bytes": 2_500_000_000_u64,
                "events_in_an_hour": 2000, "events_in_a_day": 5_000_000, "events_in_a_week": 6_000_000,
                "builds": [
                    {"projection": "bank", "build": 2, "version": 2, "state": "active", "bytes": 24_576_000},
                    {"projection": "bank", "build": null, "verification": 1, "version": 2, "state": "replaying", "bytes": 12_000_000}],
            },
        }));
        insta::assert_snapshot!(text(&stats, 30, Bars::of_terminal(80)), @r"
        6,000,000 events of 12 types in 20,000 streams of 2 categories, 1.12 GiB of data and metadata
        appended: 2,000 in the last hour, 5,000,000 in the last 24 hours, 6,000,000 in the last 7 days
        the log takes 2.33 GiB in Postgres, the builds 34.88 MiB

        TYPE                 EVENTS       BYTES
        MoneyDeposited    4,000,000  762.94 MiB  ██████████████████████████████████████
        MoneyWithdrawn    1,990,000  385.28 MiB  ██████████████████▉
        (10 other types)     10,000  976.56 KiB

        CATEGORY  STREAMS     EVENTS     BYTES
        account    19,999  5,999,999  1.12 GiB  ███████████████████████████████████████
        (none)          1          1    1000 B  ▏

        STREAM     EVENTS  LAST POSITION
        account-7   1,200      5,999,999  ████████████████████████████████████████
        account-9     900      6,000,000  ██████████████████████████████

        DAY            EVENTS       BYTES
        2026-04-28  1,000,000  190.73 MiB  ████████
        2026-04-29          0         0 B
        2026-04-30          0         0 B
        2026-05-01  5,000,000  958.44 MiB  ████████████████████████████████████████

        BUILD                VERSION  STATE          BYTES
        bank 2                     2  active     23.44 MiB  ███████████████████████████
        bank verification 1        2  replaying  11.44 MiB  █████████████▏
        ");
        let behind = behind(&stats);
        assert_eq!(
            behind.as_deref(),
            Some("counted up to position 6,000,000; 1 event behind it, up to 6,000,001, is counted in the background")
        );
        assert_eq!(super::behind(&Stats { head: 6_000_000, ..stats }), None);
    }

    #[test]
    fn an_empty_log_has_no_tables() {
        let nothing = serde_json::json!({"count": 0, "most": [], "others": {"count": 0, "events": 0, "bytes": 0}});
        let stats = read(serde_json::json!({
            "position": 0, "head": 0, "events": 0, "bytes": 0, "streams": {"count": 0, "longest": []},
            "types": nothing, "categories": nothing, "days": [], "measured": null,
        }));
        let text = text(&stats, 30, Bars::plain());
        assert_eq!(text, "0 events of 0 types in 0 streams of 0 categories, 0 B of data and metadata");
    }
}
