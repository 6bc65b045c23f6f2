//! The disk under the log, as far as it can be known from here.

use std::path::Path;

use super::finding::Finding;
use crate::{cli::figures, event_log::LogSize};

const AREA: &str = "disk";
/// What a checkpoint and the indexes of a rebuild can take at once.
const LEAST_FREE: u64 = 1 << 30;
/// Days until the disk is full from which on somebody should do something.
const FEW_DAYS: f64 = 30.0;
const VERY_FEW_DAYS: f64 = 3.0;
/// The smallest part of the disk that should be free.
const FREE_PART: f64 = 0.1;

/// The room of a file system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) free: u64,
    pub(super) whole: u64,
}

impl Room {
    /// The room where a folder is; `None` if this user cannot see it.
    pub(super) fn at(folder: &Path) -> Option<Self> {
        let found = rustix::fs::statvfs(folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        // What is kept for root, Postgres does not get.
        Some(Self { free: bytes(found.f_bavail), whole: bytes(found.f_blocks) })
    }
}

/// Judges how long the disk lasts. `room` is `None` where it cannot be seen.
pub(super) fn judge(size: Option<LogSize>, database_bytes: u64, room: Option<Room>) -> Vec<Finding> {
    let growth = size.map_or(0.0, growth);
    let mut findings = vec![match size {
        None => Finding::ok(AREA, "log", format!("there is none; the database has {}", figures::bytes(database_bytes))),
        Some(size) => Finding::ok(
            AREA,
            "log",
            format!(
                "{} events in {}; {} within the last day, about {} a day",
                figures::count(size.head.0),
                figures::bytes(size.bytes),
                figures::count(size.appended_in_a_day),
                figures::bytes(growth as u64)
            ),
        ),
    }];
    findings.push(match room {
        None => Finding::skipped(
            AREA,
            "room",
            "the data of Postgres is on another machine, or this role may not know where",
        )
        .advice("watch the disk of Postgres where it runs; Prometheus: node_filesystem_avail_bytes"),
        Some(room) => judge_room(room, growth),
    });
    findings
}

/// Bytes that the log grows in a day, if the next one is as the last and events are as large as all were on the average.
fn growth(size: LogSize) -> f64 {
    if size.head.0 == 0 { 0.0 } else { size.bytes as f64 * (size.appended_in_a_day as f64 / size.head.0 as f64) }
}

fn judge_room(Room { free, whole }: Room, growth: f64) -> Finding {
    let days = if growth > 0.0 { free as f64 / growth } else { f64::INFINITY };
    let mut found = format!("{} free of {}", figures::bytes(free), figures::bytes(whole));
    if days < 3650.0 {
        let days = figures::counted(days as u64, "day");
        found.push_str(&format!("; full in {days}, if nothing but the log grows"));
    }
    let why = "when the disk is full, Postgres stops: appends are refused, and builds stand still";
    let advice = "give it a larger disk; `gnomon retire` drops the tables of builds that nobody reads, and a rebuild needs room for a second copy";
    if free < LEAST_FREE || days < VERY_FEW_DAYS {
        Finding::problem(AREA, "room", found).why(why).advice(advice)
    } else if days < FEW_DAYS || (free as f64) < whole as f64 * FREE_PART {
        Finding::warning(AREA, "room", found).why(why).advice(advice)
    } else {
        Finding::ok(AREA, "room", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::doctor::finding::Level, event_log::Position};

    #[test]
    fn a_disk_is_judged_by_what_is_free_and_by_how_long_it_lasts() {
        let gib = |number: u64| number << 30;
        let level = |free, whole, growth| judge_room(Room { free, whole }, growth).level;
        assert_eq!(level(gib(50), gib(100), 0.0), Level::Ok);
        assert_eq!(level(gib(9), gib(100), 0.0), Level::Warning);
        assert_eq!(level(gib(1) - 1, gib(2), 0.0), Level::Problem);
        assert_eq!(level(gib(50), gib(100), gib(2) as f64), Level::Warning);
        assert_eq!(level(gib(50), gib(100), gib(20) as f64), Level::Problem);
    }

    #[test]
    fn what_is_not_there_and_what_cannot_be_seen_is_said() {
        let [log, room] = judge(None, 8 << 20, None).try_into().unwrap();
        assert_eq!((log.level, log.found.as_str()), (Level::Ok, "there is none; the database has 8.00 MiB"));
        assert_eq!((room.level, room.advice.is_some()), (Level::Skipped, true));
        // Half of it is free, and that lasts for ten days.
        let size = LogSize { head: Position(1000), bytes: 100 << 30, appended_in_a_day: 10 };
        let [log, room] = judge(Some(size), 0, Some(Room { free: 10 << 30, whole: 20 << 30 })).try_into().unwrap();
        assert_eq!(log.found, "1,000 events in 100.00 GiB; 10 within the last day, about 1.00 GiB a day");
        assert!(room.found.ends_with("; full in 10 days, if nothing but the log grows"), "{room:?}");
        assert_eq!((room.level, room.why.is_some() && room.advice.is_some()), (Level::Warning, true));
        let [_, quiet] = judge(None, 0, Some(Room { free: 500 << 30, whole: 1 << 40 })).try_into().unwrap();
        assert_eq!((quiet.level, quiet.found.contains("full in")), (Level::Ok, false));
    }

    #[test]
    fn a_log_grows_by_what_was_appended_in_a_day() {
        let size = |head, appended_in_a_day| LogSize { head: Position(head), bytes: 1000, appended_in_a_day };
        assert_eq!([growth(size(0, 0)), growth(size(10, 10)), growth(size(10, 1))], [0.0, 1000.0, 100.0]);
    }

    #[test]
    fn the_room_of_a_folder_is_that_of_its_disk() {
        let room = Room::at(Path::new("/")).unwrap();
        assert!(room.free <= room.whole && room.whole > 1 << 20, "{room:?}");
        assert!(Room::at(Path::new("/there/is/no/such/folder")).is_none());
    }
}
