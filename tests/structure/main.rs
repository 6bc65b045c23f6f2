//! Checks which room of the host uses which other room, and which library. A room is a top-level module of `host/src`.
//!
//! What is allowed is in [`ROOMS`] and in the table of docs/ARCHITECTURE.md, which say the same. What is used is read from the
//! code, so a `use` of a room that is not allowed fails here and not in somebody's review.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its files fails")]

mod circles;
mod errors;
mod paths;
mod tree;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each room and the rooms that it may know.
const ROOMS: &[(&str, &[&str])] = &[
    ("access", &["metrics", "postgres"]),
    ("api", &[]),
    ("audit", &[]),
    ("builds", &["audit", "event_log", "modules", "postgres", "read_model", "runtime", "subscriptions"]),
    (
        "cli",
        &[
            "access",
            "api",
            "config",
            "event_log",
            "http",
            "metrics",
            "operations",
            "outbox",
            "past",
            "personal_data",
            "postgres",
            "projector",
            "queries",
            "reactor_engine",
            "read_model",
            "runtime",
            "server",
            "subscriptions",
            "telemetry",
        ],
    ),
    ("config", &[]),
    ("event_log", &["metrics", "personal_data", "postgres"]),
    ("folding", &["metrics", "postgres", "read_model", "runtime", "subscriptions"]),
    (
        "http",
        &[
            "access",
            "api",
            "audit",
            "builds",
            "event_log",
            "metrics",
            "modules",
            "operations",
            "outbox",
            "past",
            "personal_data",
            "postgres",
            "queries",
            "reactors",
            "read_model",
            "runtime",
            "subscriptions",
            "telemetry",
        ],
    ),
    ("metrics", &[]),
    ("modules", &["metrics", "postgres", "read_model", "runtime"]),
    (
        "operations",
        &[
            "builds",
            "event_log",
            "modules",
            "past",
            "personal_data",
            "postgres",
            "reactors",
            "read_model",
            "runtime",
            "subscriptions",
        ],
    ),
    ("outbox", &["audit", "event_log", "metrics", "postgres", "telemetry"]),
    ("past", &["builds", "event_log", "modules", "postgres", "read_model", "runtime", "subscriptions"]),
    ("personal_data", &["audit", "postgres"]),
    ("postgres", &["metrics"]),
    (
        "projector",
        &[
            "builds",
            "event_log",
            "folding",
            "metrics",
            "modules",
            "postgres",
            "read_model",
            "runtime",
            "subscriptions",
            "telemetry",
        ],
    ),
    ("queries", &["builds", "event_log", "metrics", "modules", "postgres", "read_model"]),
    (
        "reactor_engine",
        &[
            "event_log",
            "folding",
            "metrics",
            "modules",
            "outbox",
            "postgres",
            "reactors",
            "read_model",
            "runtime",
            "subscriptions",
            "telemetry",
        ],
    ),
    ("reactors", &["audit", "event_log", "modules", "postgres", "read_model", "runtime", "subscriptions"]),
    ("read_model", &["postgres"]),
    ("runtime", &["event_log", "metrics", "read_model"]),
    (
        "server",
        &[
            "access",
            "event_log",
            "http",
            "modules",
            "operations",
            "outbox",
            "past",
            "personal_data",
            "postgres",
            "projector",
            "queries",
            "reactor_engine",
            "runtime",
        ],
    ),
    ("subscriptions", &["event_log", "metrics", "postgres", "runtime"]),
    ("telemetry", &["config", "metrics"]),
];

/// Libraries that are the business of some rooms only.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("arrow_array", &["read_model"]),
    ("arrow_ipc", &["read_model"]),
    ("arrow_schema", &["read_model"]),
    ("async_nats", &["cli", "outbox"]),
    ("axum", &["cli", "http"]),
    ("clap", &["cli", "config"]),
    ("gimli", &["cli"]),
    ("hmac", &["cli", "outbox"]),
    ("indicatif", &["cli"]),
    ("jsonwebtoken", &["access"]),
    ("prometheus_client", &["metrics"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_appender_tracing", &["telemetry"]),
    ("opentelemetry_http", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("parquet", &["read_model"]),
    ("quick_cache", &["queries"]),
    ("redis", &["queries"]),
    ("ratatui", &["cli"]),
    ("reqwest", &["access", "cli", "outbox", "postgres", "telemetry"]),
    (
        "sqlx",
        &[
            "access",
            "builds",
            "cli",
            "event_log",
            "folding",
            "http",
            "modules",
            "operations",
            "outbox",
            "past",
            "personal_data",
            "postgres",
            "projector",
            "queries",
            "reactor_engine",
            "reactors",
            "read_model",
            "server",
            "subscriptions",
        ],
    ),
    ("tower_http", &["http"]),
    ("wasmparser", &["runtime"]),
    ("wasmtime", &["runtime"]),
    ("wasmtime_wasi", &["runtime"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of a room, tests left out: they may look over walls.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What each room names: rooms as `crate::room`, libraries by their names; with a file that does so.
fn named() -> BTreeMap<String, BTreeMap<String, PathBuf>> {
    let mut all = Vec::new();
    files(&source(), &mut all);
    let mut rooms: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for path in all {
        let inside = path.strip_prefix(source()).unwrap().with_extension("");
        let mut module: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        if matches!(module.as_slice(), [only] if only == "lib" || only == "main") {
            continue;
        }
        let room = rooms.entry(module[0].clone()).or_default();
        for name in paths::outside(&fs::read_to_string(&path).unwrap(), &module) {
            room.entry(name).or_insert_with(|| inside.clone());
        }
    }
    rooms
}

#[test]
fn every_room_is_in_the_plan() {
    let planned: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let rooms = named();
    let found: BTreeSet<&str> = rooms.keys().map(String::as_str).collect();
    assert_eq!(found, planned);
}

#[test]
fn no_room_knows_more_than_the_plan_allows() {
    let mut breaches = Vec::new();
    for (room, names) in named() {
        let allowed = ROOMS.iter().find(|(planned, _)| *planned == room).unwrap().1;
        for (name, file) in names {
            let Some(other) = name.strip_prefix("crate::") else { continue };
            if other != room && !allowed.contains(&other) {
                breaches.push(format!("{room} must not know {other}, {} does", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_plan_has_no_circle_and_no_arrow_that_nobody_needs() {
    let rooms = named();
    for (room, allowed) in ROOMS {
        for other in *allowed {
            assert!(rooms[*room].contains_key(&format!("crate::{other}")), "{room} may know {other}, and does not");
        }
    }
    // Rooms that know only rooms that stand already are put on top of them; in a circle none can be the first.
    let mut standing: BTreeSet<&str> = BTreeSet::new();
    while standing.len() < ROOMS.len() {
        let next = ROOMS
            .iter()
            .find(|(room, allowed)| !standing.contains(room) && allowed.iter().all(|other| standing.contains(other)));
        let Some((room, _)) = next else { panic!("a circle among the rooms above {standing:?}") };
        standing.insert(room);
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut breaches = Vec::new();
    for (room, names) in named() {
        for (library, rooms) in LIBRARIES {
            if let Some(file) = names.get(*library)
                && !rooms.contains(&room.as_str())
            {
                breaches.push(format!("{room} must not know {library}, {} does", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn no_error_has_its_cause_in_its_message_and_as_its_source() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/values/src"), &mut all);
    let mut breaches = Vec::new();
    for path in all {
        for breach in errors::breaches(&fs::read_to_string(&path).unwrap()) {
            breaches.push(format!("{}: {breach}", path.display()));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_plan_in_the_documentation_is_this_one() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ARCHITECTURE.md")).unwrap();
    for (room, allowed) in ROOMS {
        let known = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        let line = format!("| `{room}` | {known} |");
        assert!(page.contains(&line), "docs/ARCHITECTURE.md lacks the line\n{line}");
    }
}
