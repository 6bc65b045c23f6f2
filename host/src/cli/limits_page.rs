//! The page of limits, `docs/limits.md`, which is generated from the options of `gnomon serve` and from the constants in the code.
//!
//! `GNOMON_BLESS=1 cargo test -p gnomon --lib cli::limits_page` writes it again.

mod access;
mod limit;
mod personal_data;
mod sinks;
mod tenants;

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use clap::{Arg, CommandFactory};
use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay, json, limits};

use self::{
    access::ACCESS,
    limit::{
        ErrorLocation::{Build, Code, Nowhere, Reactor},
        Limit::{Fixed, Option as By, Range, Text},
        Row, Unit,
        Unit::{Bytes, Number, Seconds},
    },
    personal_data::PERSONAL_DATA,
    sinks::SINKS,
    tenants::TENANTS,
};
use super::Cli;
use crate::{
    api::{MAX_SAMPLES, MAX_STATS_DAYS, MAX_STATS_LIMIT},
    event_log::MAX_TAIL_EVENTS,
    http::{
        CONNECTION_BUFFER_BYTES, HANDSHAKE_TIMEOUT, MAX_CONCURRENT_STREAMS, MAX_DESCRIBED_COLUMNS,
        MAX_DESCRIBED_TABLES, MAX_TLS_FILE_BYTES, WINDOW_BYTES,
    },
    operations::RehearsalLimits,
    past::{MAX_CHANGED_ROWS, MAX_KEYED_STREAMS, MAX_SNAPSHOT_BYTES, MAX_VERIFIED_STREAMS},
    projector::PAST_AT_ONCE,
    queries::{
        LIVE_STATEMENT_TIMEOUT, MAX_ASKED_KEYS, MAX_CHANGED_ROWS as MAX_ROWS_READ_ALONE, MAX_KEPT_ANSWER_BYTES,
        MAX_LIVE_BYTES, MAX_LIVE_QUERIES, MAX_LIVE_ROWS_IN_SUM, MAX_NOTED_COMMITS, MAX_WAITING_BYTES,
        MAX_WAITING_BYTES_IN_SUM, NOTES_KEPT,
    },
    read_model::{
        Decimal, MAX_CHANGED_KEYS, MAX_CHANGED_KEYS_BYTES,
        columnar::{BATCH_BYTES, MAX_COLUMN_CHUNKS, ROW_GROUP_BYTES},
        query::{
            MAX_CURSOR_BYTES, MAX_EMBEDDING_DEPTH, MAX_EMBEDDINGS, MAX_PATH_STEPS, MAX_PATTERN_BYTES,
            MAX_POSTED_QUERY_BYTES, MAX_REGEX_SIZE, MAX_REPEATED, MAX_SELECTED, MAX_SNIPPET_CHARS, MAX_WILDCARDS,
            MAX_WRITTEN_CONDITIONS,
        },
    },
    runtime::{MAX_DECLARED_NAME_BYTES, MAX_DESCRIPTOR_BYTES},
};

const HEAD: &str = "\
# Limits

What breaks a limit is refused with an error that names it, and changes nothing. Where there is an option, it is one of `gnomon serve`,
and the limit is its default; [cli.md](cli.md) names its variable. What has no option is the same in every host.

What a module hands over is refused at the event that it handles: the build or the reactor halts there, or sets the event aside, with the
limit in the `error`. The test kit of the SDK refuses the same, with the defaults of this page.

This page is made of the code, and a test holds it.
";

const NONE: Unit = Number("");

const EVENTS: &[Row] = &[
    ("data and metadata of an event", By("max-event-bytes", Bytes), Code("limit_exceeded")),
    ("arrays and objects within each other in them", Fixed(limits::MAX_JSON_DEPTH, NONE), Code("limit_exceeded")),
    ("tags of an event", By("max-event-tags", NONE), Code("limit_exceeded")),
    ("events of an append", By("max-append-events", NONE), Code("limit_exceeded")),
    ("items of an event query, also of that of a condition", By("max-query-items", NONE), Code("limit_exceeded")),
    ("types and tags of an event query, all items together", By("max-query-names", NONE), Code("limit_exceeded")),
    ("body of a request that is neither an import nor a module", By("max-body-bytes", Bytes), Code("body_too_large")),
    ("body of an import", By("max-import-bytes", Bytes), Code("body_too_large")),
    ("bodies of all requests in memory, together", By("max-bodies-bytes", Bytes), Code("overloaded")),
    ("events or streams of a page", By("max-page", NONE), Code("invalid_query")),
    (
        "types, categories and streams of statistics, of each; as many streams are known to be the longest",
        Fixed(MAX_STATS_LIMIT, NONE),
        Code("invalid_query"),
    ),
    ("days of statistics", Fixed(MAX_STATS_DAYS, NONE), Code("invalid_query")),
    (
        "events that statistics count when they are asked for, behind the summary that hosts keep; beyond that they are of its position",
        Fixed(MAX_TAIL_EVENTS as usize, NONE),
        Nowhere,
    ),
    (
        "bytes of the events of a page, which ends with the event that reaches them",
        By("max-page-bytes", Bytes),
        Nowhere,
    ),
    (
        "all answers that are being sent; half of it is for followers",
        By("max-sending-bytes", Bytes),
        Code("too_much_to_send"),
    ),
];

const NAMES: &[Row] = &[
    (
        "name of a stream, without control characters, and neither `.` nor `..`",
        By("max-stream-name-bytes", Bytes),
        Code("limit_exceeded"),
    ),
    ("name of an event type, without control characters", By("max-event-type-bytes", Bytes), Code("limit_exceeded")),
    ("a tag, without control characters", By("max-tag-bytes", Bytes), Code("limit_exceeded")),
    ("id of an event", Text("a UUID"), Code("invalid_body")),
    (
        "schema version of an event",
        Range(|| ["1".to_owned(), shown(limits::MAX_SCHEMA_VERSION as usize, NONE)]),
        Code("invalid_body"),
    ),
    (
        "name of a module: `a` to `z`, `0` to `9` and `_`, no digit first",
        Fixed(limits::MAX_NAME_BYTES, Bytes),
        Code("invalid_path"),
    ),
    (
        "name of a table, a column or an index, made of the same",
        Fixed(limits::MAX_NAME_BYTES, Bytes),
        Code("invalid_module"),
    ),
    (
        "name of a view in `read_models`, `<projection>_<table>`",
        Fixed(limits::MAX_NAME_BYTES, Bytes),
        Code("invalid_module"),
    ),
];

const MODULES: &[Row] = &[
    ("a component", By("max-module-bytes", Bytes), Code("body_too_large")),
    ("uploads at once, from the first byte of the body to the answer", By("max-uploads", NONE), Code("modules_busy")),
    ("processor time for compiling a component", By("max-compile-time", Seconds), Code("invalid_module")),
    ("memory for compiling a component", By("max-compile-memory-bytes", Bytes), Code("invalid_module")),
    ("compiled modules on the disk; those not used for longest are removed", By("max-cache-bytes", Bytes), Nowhere),
    ("texts of a descriptor together", Fixed(MAX_DESCRIPTOR_BYTES, Bytes), Code("invalid_module")),
    (
        "name of a category or an event type in a descriptor",
        Fixed(MAX_DECLARED_NAME_BYTES, Bytes),
        Code("invalid_module"),
    ),
    ("memory of an instance", By("max-memory-bytes", Bytes), Build),
    (
        "memory of all instances of a host together; at the limit, batches wait, and idle instances lose theirs",
        By("max-total-memory-bytes", Bytes),
        Nowhere,
    ),
    (
        "rows that all builds of a host keep in memory; beyond it, rows are read from Postgres again",
        By("max-kept-rows-bytes", Bytes),
        Nowhere,
    ),
    ("computing on one batch; waiting for rows does not count", By("max-batch-time", Seconds), Build),
    (
        "waiting for rows in one batch; a call counts for one second at most, since more is because of Postgres",
        By("max-batch-read-time", Seconds),
        Build,
    ),
    ("what one call hands to the host", By("max-call-bytes", Bytes), Build),
    ("steps of an upcaster", Fixed(limits::MAX_STEPS, NONE), Code("invalid_module")),
    ("events that upcasters make of one", By("max-upcast-events", NONE), Build),
    (
        "effects with which a reactor answers one event; an append counts as many as it has events",
        By("max-effects", NONE),
        Reactor,
    ),
    ("data of a message, a call or a schedule of a reactor", By("max-message-bytes", Bytes), Reactor),
    ("effects with which a reactor answers one batch", By("max-batch-effect-bytes", Bytes), Reactor),
    ("sinks that a reactor names", Fixed(limits::MAX_SINKS, NONE), Code("invalid_module")),
    (
        "event types that a module names, categories, tags, and types that a step of an upcaster produces",
        Fixed(limits::MAX_WANTED, NONE),
        Code("invalid_module"),
    ),
];

const TABLES: &[Row] = &[
    ("tables of a projection or a reactor", Fixed(limits::MAX_TABLES, NONE), Code("invalid_module")),
    ("columns of a table", Fixed(limits::MAX_COLUMNS, NONE), Code("invalid_module")),
    ("columns of a key or an index", Fixed(limits::MAX_INDEX_COLUMNS, NONE), Code("invalid_module")),
    ("indexes of a table beside its key", Fixed(limits::MAX_INDEXES, NONE), Code("invalid_module")),
    ("references of a table", Fixed(limits::MAX_REFERENCES, NONE), Code("invalid_module")),
    (
        "description of a module, a table or a column",
        Fixed(limits::MAX_DESCRIPTION_BYTES, Bytes),
        Code("invalid_module"),
    ),
    (
        "a row: text, decimal digits, JSON, bytes and arrays (8 for a number, 16 for a UUID, 24 and its own for a text), and 8 for each cell",
        By("max-row-bytes", Bytes),
        Build,
    ),
    ("text, decimal digits and bytes of a key or of an index of one row", Fixed(limits::MAX_INDEX_BYTES, Bytes), Build),
    ("a text of an array in a gin index", Fixed(limits::MAX_INDEX_BYTES, Bytes), Build),
    (
        "characters of the columns of a full-text index whose words it holds",
        Fixed(limits::MAX_FULL_TEXT_CHARS, NONE),
        Nowhere,
    ),
    ("rows that one `find` returns", By("max-find-rows", NONE), Build),
    ("keys of one `get-many`", By("max-get-keys", NONE), Build),
    ("rows that one call returns", By("max-read-bytes", Bytes), Build),
    ("rows that one batch asks for", By("max-batch-reads", NONE), Build),
    ("rows that one batch changes", By("max-batch-write-bytes", Bytes), Build),
];

const BUILDS: &[Row] = &[
    ("events that a module gets at once", By("batch-events", NONE), Nowhere),
    ("bytes of events that a module gets at once, about", By("batch-bytes", Bytes), Nowhere),
    ("events that a build sets aside", By("max-dead-letters", NONE), Build),
    ("builds of a projection that are not retired", By("max-builds", NONE), Code("too_many_builds")),
    ("past builds of a projection", By("max-past-builds", NONE), Code("too_many_past_builds")),
    ("past builds of all projections together", By("max-all-past-builds", NONE), Code("too_many_past_builds")),
    ("past builds that a host makes at once", Fixed(PAST_AT_ONCE, NONE), Nowhere),
    ("tables of all past builds", By("max-past-bytes", Bytes), Code("too_many_past_builds")),
    ("verifications of a projection that have not ended", By("max-verifications", NONE), Code("too_many_builds")),
    ("waiting of an operation for a lock", By("lock-timeout", Seconds), Code("locked")),
    ("rows of a page of a read model", By("max-rows", NONE), Nowhere),
    ("an answer of a read model", By("max-answer-bytes", Bytes), Code("answer_too_large")),
    ("a query on a read model", By("query-timeout", Seconds), Code("query_timeout")),
    (
        "an export of a read model, as Parquet or Arrow, until its last byte is read",
        By("export-timeout", Seconds),
        Nowhere,
    ),
    (
        "bytes of a row group of Parquet, and so of an export in memory at once, about",
        Fixed(ROW_GROUP_BYTES, Bytes),
        Nowhere,
    ),
    ("bytes of a record batch of Arrow, about", Fixed(BATCH_BYTES, Bytes), Nowhere),
    ("column chunks of a file of Parquet", Fixed(MAX_COLUMN_CHUNKS, NONE), Nowhere),
    ("answers of read models that a host keeps in memory", By("cache-bytes", Bytes), Nowhere),
    ("an answer that is kept", Fixed(MAX_KEPT_ANSWER_BYTES, Bytes), Nowhere),
    ("a query on a read model that is sent as a body", Fixed(MAX_POSTED_QUERY_BYTES, Bytes), Code("body_too_large")),
    ("columns that a query selects again", Fixed(MAX_REPEATED, NONE), Nowhere),
    ("columns that a query selects", Fixed(MAX_SELECTED, NONE), Nowhere),
    ("resources that a query embeds", Fixed(MAX_EMBEDDINGS, NONE), Nowhere),
    ("embeddings within each other", Fixed(MAX_EMBEDDING_DEPTH, NONE), Nowhere),
    (
        "conditions of a query, with those within embeddings again where these are asked for",
        Fixed(MAX_WRITTEN_CONDITIONS, NONE),
        Nowhere,
    ),
    ("a pattern of `like`, `ilike`, `match` and `imatch`", Fixed(MAX_PATTERN_BYTES, Bytes), Nowhere),
    ("wildcards of a pattern", Fixed(MAX_WILDCARDS, NONE), Nowhere),
    ("characters of a regular expression, its repetitions written out", Fixed(MAX_REGEX_SIZE, NONE), Nowhere),
    ("steps of a path into json in a query", Fixed(MAX_PATH_STEPS, NONE), Nowhere),
    ("characters of the texts that a snippet is of", Fixed(MAX_SNIPPET_CHARS, NONE), Nowhere),
    ("a cursor of a page", Fixed(MAX_CURSOR_BYTES, Bytes), Nowhere),
    ("rows of a live query", By("max-rows", NONE), Code("answer_too_large")),
    ("rows of a live query, as they are sent when it begins", Fixed(MAX_LIVE_BYTES, Bytes), Code("answer_too_large")),
    ("live queries of one projection on one host that differ", Fixed(MAX_LIVE_QUERIES, NONE), Code("overloaded")),
    ("rows that all live queries of a host have, together", Fixed(MAX_LIVE_ROWS_IN_SUM, NONE), Code("overloaded")),
    (
        "a statement of a live query; one that takes longer ends its followers",
        Fixed(LIVE_STATEMENT_TIMEOUT.as_secs() as usize, Seconds),
        Code("query_timeout"),
    ),
    (
        "changes that wait for one follower of a live query; one that reads more slowly begins again",
        Fixed(MAX_WAITING_BYTES, Bytes),
        Nowhere,
    ),
    (
        "what waits for all of them, with the rows that they begin with",
        Fixed(MAX_WAITING_BYTES_IN_SUM, Bytes),
        Code("overloaded"),
    ),
    (
        "changed rows that live queries read one by one; of more, they are read again",
        Fixed(MAX_ROWS_READ_ALONE, NONE),
        Nowhere,
    ),
    ("commits of a build that are noted for live queries", Fixed(MAX_NOTED_COMMITS, NONE), Nowhere),
    ("rows of a commit that is noted", Fixed(MAX_CHANGED_KEYS, NONE), Nowhere),
    ("keys of a commit that is noted", Fixed(MAX_CHANGED_KEYS_BYTES, Bytes), Nowhere),
    ("until a note of a commit is removed", Fixed(NOTES_KEPT.as_secs() as usize, Seconds), Nowhere),
    ("waiting for a position or for a comparison", By("max-wait", Seconds), Nowhere),
    ("sample rows of each kind in a comparison", Fixed(MAX_SAMPLES, NONE), Code("invalid_query")),
    ("events of a stream from one snapshot to the next, at least", By("snapshot-every", NONE), Nowhere),
    (
        "all snapshots in the database, about; those not used for longest are removed",
        By("max-snapshots-bytes", Bytes),
        Nowhere,
    ),
    ("a snapshot; larger ones are not taken", Fixed(MAX_SNAPSHOT_BYTES, Bytes), Nowhere),
    ("rows of one stream in memory, while its past is asked for", By("max-fold-bytes", Bytes), Code("limit_exceeded")),
    ("folding the events of a stream for one answer", By("past-timeout", Seconds), Code("past_timed_out")),
    ("answers about the past of streams that are folded at once", By("max-folds", NONE), Code("modules_busy")),
    ("keys of rows that a query names, to be answered from the past of streams", Fixed(MAX_ASKED_KEYS, NONE), Nowhere),
    ("streams that may have made these rows", Fixed(MAX_KEYED_STREAMS, NONE), Nowhere),
    ("streams whose snapshots one `verify` checks", Fixed(MAX_VERIFIED_STREAMS, NONE), Nowhere),
    ("rows that one event of a history shows", Fixed(MAX_CHANGED_ROWS, NONE), Nowhere),
    (
        "positions whose effects a rehearsal of a reactor shows",
        Fixed(RehearsalLimits::DEFAULT.positions as usize, NONE),
        Code("limit_exceeded"),
    ),
    (
        "rows and effects of one version in memory, while it is rehearsed",
        Fixed(RehearsalLimits::DEFAULT.bytes, Bytes),
        Code("limit_exceeded"),
    ),
    (
        "a rehearsal of a reactor",
        Fixed(RehearsalLimits::DEFAULT.timeout.as_secs() as usize, Seconds),
        Code("past_timed_out"),
    ),
    (
        "tables that `/openapi.json` describes; it says how many more there are",
        Fixed(MAX_DESCRIBED_TABLES, NONE),
        Nowhere,
    ),
    ("columns of those tables", Fixed(MAX_DESCRIBED_COLUMNS, NONE), Nowhere),
];

const CLIENTS: &[Row] = &[
    (
        "connections; the one that is idle for longest makes room",
        By("max-client-connections", NONE),
        Code("overloaded"),
    ),
    ("until a client and a host have agreed upon TLS", Fixed(HANDSHAKE_TIMEOUT.as_secs() as usize, Seconds), Nowhere),
    ("the file of `--tls-cert`, and that of `--tls-key`", Fixed(MAX_TLS_FILE_BYTES as usize, Bytes), Nowhere),
    ("the head of a request", Fixed(CONNECTION_BUFFER_BYTES as usize, Bytes), Nowhere),
    ("requests under way on one connection of HTTP/2", Fixed(MAX_CONCURRENT_STREAMS as usize, NONE), Nowhere),
    ("bodies on one connection of HTTP/2 that the host has not read yet", Fixed(WINDOW_BYTES as usize, Bytes), Nowhere),
    ("appends and imports under way", By("max-appends", NONE), Code("overloaded")),
    ("reads under way", By("max-reads", NONE), Code("overloaded")),
    ("requests that wait for a position or for a comparison", By("max-waits", NONE), Code("overloaded")),
    ("operations on projections under way", By("max-operations", NONE), Code("overloaded")),
    ("answers that follow", By("max-followers", NONE), Code("overloaded")),
    ("exports of read models under way", By("max-exports", NONE), Code("overloaded")),
    ("until the head of a connection's next request is there", By("idle-timeout", Seconds), Nowhere),
    ("without a byte of a body that is awaited", By("body-timeout", Seconds), Code("body_timeout")),
    (
        "until an answer begins, beside the wait that is asked for; imports and comparisons take longer",
        By("request-timeout", Seconds),
        Code("timed_out"),
    ),
    ("without the client reading anything of an answer; by HTTP/2 up to twice", By("write-timeout", Seconds), Nowhere),
    ("until a host that stops has ended", By("shutdown-timeout", Seconds), Nowhere),
];

const VALUES: &[Row] = &[
    ("`time` of an event; what is finer than a microsecond is cut off", Range(instants), Code("invalid_body")),
    ("a timestamp; what is finer than a microsecond is cut off", Range(instants), Build),
    (
        "a local timestamp, likewise",
        Range(|| [LocalTimestamp::MIN.to_string(), LocalTimestamp::MAX.to_string()]),
        Build,
    ),
    ("a time of day, likewise", Range(|| [TimeOfDay(0).to_string(), TimeOfDay::MAX.to_string()]), Build),
    ("a date", Range(|| [Day::MIN.to_string(), Day::MAX.to_string()]), Build),
    ("an i64", Range(|| [format!("-{}", grouped(1 << 63)), grouped(i64::MAX as usize)]), Build),
    ("an f64", Text("every double; -0.0 is kept as 0.0, and each NaN as one"), Build),
    ("digits of a decimal, and of a number in JSON, before the point", Fixed(Decimal::MAX_INTEGER_DIGITS, NONE), Build),
    ("digits of a decimal, and of a number in JSON, after the point", Fixed(Decimal::MAX_FRACTION_DIGITS, NONE), Build),
    (
        "bytes that the exponents of its numbers may add to a JSON: `1e3` is kept as `1000.0`",
        Fixed(json::MAX_GROWTH, Bytes),
        Build,
    ),
    ("arrays and objects within each other in a JSON", Fixed(limits::MAX_JSON_DEPTH, NONE), Build),
    ("text, and strings in JSON", Text("UTF-8 without NUL"), Build),
];

fn instants() -> [String; 2] {
    [Instant::MIN.to_string(), Instant::MAX.to_string()]
}

const SECTIONS: &[(&str, &[Row])] = &[
    ("Events", EVENTS),
    ("Names", NAMES),
    ("Modules", MODULES),
    ("Tables and rows", TABLES),
    ("Builds and queries", BUILDS),
    ("Sinks and messages", SINKS),
    ("Personal data", PERSONAL_DATA),
    ("Clients", CLIENTS),
    ("Access", ACCESS),
    ("Tenants", TENANTS),
    ("Times and numbers", VALUES),
];

fn render() -> String {
    let mut page = HEAD.to_owned();
    for (title, lines) in SECTIONS {
        let _ = writeln!(page, "\n## {title}\n\n| | limit | option | error |\n|---|---|---|---|");
        for (what, limit, location) in *lines {
            let (limit, option) = match limit {
                By(option, unit) => (shown(default_of(option), *unit), format!("`--{option}`")),
                Fixed(limit, unit) => (shown(*limit, *unit), String::new()),
                Text(text) => ((*text).to_owned(), String::new()),
                Range(ends) => (ends().join(" to "), String::new()),
            };
            let location = match location {
                Code(code) => format!("[`{code}`](errors/{code}.md)"),
                Build => "of the build".to_owned(),
                Reactor => "of the reactor".to_owned(),
                Nowhere => String::new(),
            };
            let _ = writeln!(page, "| {what} | {limit} | {option} | {location} |");
        }
    }
    page
}

fn options() -> Vec<Arg> {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    serve.get_arguments().filter(|argument| argument.get_long().is_some()).cloned().collect()
}

fn default_of(option: &str) -> usize {
    let options = options();
    let Some(argument) = options.iter().find(|argument| argument.get_long() == Some(option)) else {
        panic!("`gnomon serve` has no --{option}");
    };
    let [default] = argument.get_default_values() else { panic!("--{option} has no default") };
    default.to_str().unwrap().parse().unwrap_or_else(|_| panic!("--{option}: the default {default:?} is not a number"))
}

/// `1 MiB`, `2,400 bytes`, `10 s`, `1,000`.
fn shown(number: usize, unit: Unit) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match unit {
        Bytes => match UNITS.iter().find(|(size, _)| number > 0 && number.is_multiple_of(*size)) {
            Some((size, name)) => format!("{} {name}", number / size),
            None => format!("{} bytes", grouped(number)),
        },
        Seconds => format!("{} s", grouped(number)),
        Number(of) => format!("{} {of}", grouped(number)).trim_end().to_owned(),
    }
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_page_is_up_to_date() {
    let path = docs().join("limits.md");
    let page = render();
    if std::env::var_os("GNOMON_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/limits.md is old: run this test once with GNOMON_BLESS=1, and look at the difference");
}

#[test]
fn every_limit_of_serve_is_on_the_page_and_every_code_has_a_page() {
    let lines = || SECTIONS.iter().flat_map(|(_, lines)| lines.iter());
    let listed: BTreeSet<&str> =
        lines().filter_map(|(_, limit, _)| if let By(option, _) = limit { Some(*option) } else { None }).collect();
    let options = options();
    let limits: BTreeSet<&str> = options
        .iter()
        .filter_map(Arg::get_long)
        // The number of connections limits nothing that a request or a module does.
        .filter(|option| option.starts_with("max-") && *option != "max-connections")
        .collect();
    let missing: Vec<_> = limits.difference(&listed).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    for (what, _, location) in lines() {
        if let Code(code) = location {
            assert!(docs().join(format!("errors/{code}.md")).is_file(), "{what}: no page for {code}");
        }
    }
}
