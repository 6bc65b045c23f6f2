//! The settings of Postgres, as far as a host does not set them itself for its sessions.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::cli::figures;

const AREA: &str = "settings";
/// The default of Postgres. A private one has twice as much.
const SMALLEST_SHARED_BUFFERS: u64 = 128 << 20;
/// From this size of the database on, buffers that small are worth a warning.
const LARGE_DATABASE: u64 = 1 << 30;
/// The bytes of a page of Postgres, in which buffers are counted.
const PAGE: u64 = 8192;

/// Judges the settings of a server that holds so many bytes.
pub(super) fn judge(settings: &BTreeMap<String, String>, database_bytes: u64) -> Vec<Finding> {
    let setting = |name: &str| settings.get(name).map_or("", String::as_str);
    let on = |name: &'static str, why: &str| match setting(name) {
        "on" => Finding::ok(AREA, name, "on"),
        found => Finding::problem(AREA, name, found).why(why).advice(set(name, "on")),
    };
    vec![
        on("fsync", "a crash of the machine can lose events that were answered, and break the database"),
        on("full_page_writes", "a crash of the machine can leave pages that are half old and half new"),
        synchronous_commit(setting("synchronous_commit")),
        read_only(setting("default_transaction_read_only")),
        on(
            "autovacuum",
            "each commit of a build leaves dead rows, which nobody removes; in the end Postgres takes no writes",
        ),
        on("track_counts", "autovacuum does not learn where dead rows are, and removes none"),
        shared_buffers(setting("shared_buffers"), database_bytes),
        wal_compression(setting("wal_compression")),
        jit(setting("jit")),
        timeouts(settings),
    ]
}

fn set(name: &str, value: &str) -> String {
    format!(
        "as a superuser: ALTER SYSTEM SET {name} = {value}; SELECT pg_reload_conf(); or in the settings of your provider"
    )
}

fn synchronous_commit(found: &str) -> Finding {
    let finding = Finding::ok(AREA, "synchronous_commit", found);
    match found {
        "off" => finding
            .why("a host turns it on for its own sessions; what others write to this database may be lost in a crash"),
        _ => finding,
    }
}

fn read_only(found: &str) -> Finding {
    match found {
        "off" => Finding::ok(AREA, "default_transaction_read_only", found),
        _ => Finding::problem(AREA, "default_transaction_read_only", found)
            .why("appends are refused, and builds stand still")
            .advice("if nobody means it: ALTER DATABASE … RESET default_transaction_read_only, and the same for the role and the server"),
    }
}

fn shared_buffers(found: &str, database_bytes: u64) -> Finding {
    let bytes = found.parse::<u64>().unwrap_or_default() * PAGE;
    let shown = figures::bytes(bytes).to_string();
    if bytes >= SMALLEST_SHARED_BUFFERS && (bytes > SMALLEST_SHARED_BUFFERS || database_bytes < LARGE_DATABASE) {
        return Finding::ok(AREA, "shared_buffers", shown);
    }
    Finding::warning(AREA, "shared_buffers", format!("{shown}, for {} of data", figures::bytes(database_bytes)))
        .why("each commit of a build that changes rows here and there reads and writes pages again and again")
        .advice("a quarter of the memory of the machine is usual: ALTER SYSTEM SET shared_buffers = '1GB', and restart Postgres")
}

fn wal_compression(found: &str) -> Finding {
    match found {
        // `on` is another word for it.
        "on" | "pglz" => Finding::warning(AREA, "wal_compression", found)
            .why("pglz takes six times as long for a page as writing it takes, and appends wait for it (docs/PERFORMANCE.md)")
            .advice(set("wal_compression", "lz4 (from Postgres 15 on), or off")),
        _ => Finding::ok(AREA, "wal_compression", found),
    }
}

fn jit(found: &str) -> Finding {
    let finding = Finding::ok(AREA, "jit", found);
    match found {
        "on" => {
            finding.why("a host turns it off for its sessions; only who reads with SQL waits for plans to be compiled")
        }
        _ => finding,
    }
}

/// Times after which Postgres ends sessions or statements. Hosts set their own.
fn timeouts(settings: &BTreeMap<String, String>) -> Finding {
    let names = ["idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout"];
    let set: Vec<String> = names
        .iter()
        .filter_map(|name| Some((name, settings.get(*name)?)))
        .filter(|(_, value)| *value != "0")
        .map(|(name, value)| format!("{name} {value} ms"))
        .collect();
    if set.is_empty() {
        return Finding::ok(AREA, "idle timeouts", "none");
    }
    Finding::ok(AREA, "idle timeouts", set.join(", ")).why(
        "a host sets its own for its sessions; these hold for who reads with SQL, and a pooler between may have others",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    fn good() -> BTreeMap<String, String> {
        let pairs = [
            ("autovacuum", "on"),
            ("default_transaction_read_only", "off"),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("idle_in_transaction_session_timeout", "0"),
            ("idle_session_timeout", "0"),
            ("jit", "off"),
            ("shared_buffers", "32768"),
            ("statement_timeout", "0"),
            ("synchronous_commit", "on"),
            ("track_counts", "on"),
            ("wal_compression", "off"),
        ];
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_a_host_sets_itself_is_told_and_no_problem() {
        let found = |name: &str, value: &str, check: &str| {
            let mut settings = good();
            settings.insert(name.to_owned(), value.to_owned());
            let findings = judge(&settings, 1 << 40);
            assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:?}");
            findings.into_iter().find(|finding| finding.check == check).unwrap()
        };
        assert!(found("synchronous_commit", "off", "synchronous_commit").why.is_some());
        assert!(found("synchronous_commit", "local", "synchronous_commit").why.is_none());
        assert!(found("jit", "on", "jit").why.is_some());
        assert_eq!(found("jit", "off", "idle timeouts").found, "none");
        for name in ["idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout"] {
            let timeouts = found(name, "60000", "idle timeouts");
            assert_eq!((timeouts.found, timeouts.why.is_some()), (format!("{name} 60000 ms"), true));
        }
    }

    #[test]
    fn each_setting_is_judged_by_itself() {
        assert!(judge(&good(), 1 << 40).iter().all(|finding| finding.level == Level::Ok && finding.why.is_none()));
        for (name, value, level) in [
            ("autovacuum", "off", Level::Problem),
            ("default_transaction_read_only", "on", Level::Problem),
            ("fsync", "off", Level::Problem),
            ("full_page_writes", "off", Level::Problem),
            ("jit", "on", Level::Ok),
            ("shared_buffers", "16384", Level::Warning),
            ("shared_buffers", "1024", Level::Warning),
            ("synchronous_commit", "off", Level::Ok),
            ("track_counts", "off", Level::Problem),
            ("wal_compression", "on", Level::Warning),
            ("wal_compression", "pglz", Level::Warning),
            ("wal_compression", "lz4", Level::Ok),
        ] {
            let mut settings = good();
            settings.insert(name.to_owned(), value.to_owned());
            let findings = judge(&settings, 1 << 40);
            let found = findings.iter().find(|finding| finding.check == name).unwrap();
            assert_eq!(found.level, level, "{found:?}");
            assert_eq!(found.advice.is_some(), level != Level::Ok, "{found:?}");
            assert_eq!(
                findings.iter().filter(|finding| finding.level != Level::Ok).count(),
                usize::from(level != Level::Ok)
            );
        }
        // Small buffers are enough for a small log.
        let mut settings = good();
        settings.insert("shared_buffers".to_owned(), "16384".to_owned());
        assert!(judge(&settings, 1 << 20).iter().all(|finding| finding.level == Level::Ok));
    }
}
