//! Every measure. `docs/metrics.md` lists them for operators, and a test holds the page to this table.
//!
//! Names that begin with `event_` are those that dashboards of event stores have, and those that begin with `process_` are what Prometheus' libraries
//! say of every process. The others begin with `gnomon_` and have their unit in them.
//! A name, a label or a unit does not change after a release: add another measure.

use super::measure::{Kind, Measure, Source};

/// From half a millisecond, what an append or a point query takes, to half a minute, after which clients have gone.
const REQUESTS: Kind =
    Kind::Seconds(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
/// From a round trip to Postgres to the time after which a try is given up.
const STATEMENTS: Kind =
    Kind::Seconds(&[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
/// Parts of the work on a batch, which has up to some thousand events.
const STEPS: Kind =
    Kind::Seconds(&[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0]);
/// From a quarter of a microsecond, what a module needs for a plain event, to the longest time that it may compute.
const EVENTS: Kind = Kind::Seconds(&[
    0.000_000_25,
    0.000_000_5,
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_1,
    0.001,
    0.01,
    0.1,
    1.0,
    10.0,
]);
/// From a second, a log of some hundred thousand events, to a day.
const REPLAYS: Kind = Kind::Seconds(&[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0]);
/// A component compiles in about a second.
const COMPILES: Kind = Kind::Seconds(&[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
/// Powers of four up to the largest group and the largest batch.
const COUNTS: Kind = Kind::Sizes(&[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 8192.0]);

macro_rules! measures {
    ($($constant:ident = $name:literal, $kind:expr, $source:ident, [$($label:literal),*], $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: &Measure = &Measure {
                name: $name,
                kind: $kind,
                source: Source::$source,
                labels: &[$($label),*],
                meaning: $meaning,
            };
        )*

        /// All of them.
        pub const ALL: &[&Measure] = &[$($constant),*];
    };
}

measures! {
    EVENTS_APPENDED = "event_store_events_total", Kind::Counter, Counted, ["event_type"],
        "Events that this host has appended, imports included; of types beyond the first 200 as `other`";
    CONFLICTS = "event_store_conflicts_total", Kind::Counter, Counted, [],
        "Appends that were refused because the stream was not at the expected version, or the append's condition failed";
    SAVE_DURATION = "event_store_save_duration_seconds", REQUESTS, Counted, [],
        "Time of an append that succeeded, from the host's log having it until it is committed; without imports";
    STORE_SIZE = "event_store_size_bytes", Kind::Gauge, Database, [],
        "Bytes of the log in Postgres: events, streams, tags and types with their indexes; looked up once in 30 s at most";
    EVENTS_BY_AGGREGATE = "event_store_events_by_aggregate", Kind::Gauge, Database, ["aggregate"],
        "Events of the 10 longest streams";
    REPLAYS_ENDED = "event_replay_requests_total", Kind::Counter, Counted, ["success"],
        "Replays that this host has ended: `true` when the build has caught up, `false` when it stopped at an error before";
    REPLAY_DURATION = "event_replay_duration_seconds", REPLAYS, Counted, [],
        "Time from the begin of a build until it has caught up for the first time, pauses included";
    HANDLER_DURATION = "event_handler_duration_seconds", EVENTS, Counted, ["handler"],
        "Time in which the module of a projection handles an event, the reading of its rows included: each event counts with the mean of its batch; \
         of projections beyond the first 200 as `other`";

    APPEND_GROUP_REQUESTS = "gnomon_append_group_requests", COUNTS, Counted, [],
        "Appends and imports that were committed together";
    APPEND_GROUP_EVENTS = "gnomon_append_group_events", COUNTS, Counted, [],
        "Events that were committed together; groups that appended none do not count";
    APPEND_COMMIT_DURATION = "gnomon_append_commit_duration_seconds", STATEMENTS, Counted, [],
        "Time that a group takes from its first statement to the answer of Postgres";
    APPEND_GROUPS = "gnomon_append_groups_total", Kind::Counter, Counted, ["way"],
        "Groups by how they were committed: `known_head`, in one statement, or `locked_head`";
    APPEND_HEAD_WAIT = "gnomon_append_head_wait_seconds", STATEMENTS, Counted, [],
        "Time until the lock of the log's head was there, round trip included, where a group waited for it apart";
    APPEND_RETRIES = "gnomon_append_retries_total", Kind::Counter, Counted, [],
        "Groups that could not be committed because Postgres did not let them, and are tried again";
    APPEND_FAILURES = "gnomon_append_failures_total", Kind::Counter, Counted, ["kind"],
        "Appends and imports that failed: `conflict`, `condition_failed`, `condition_timed_out`, `invalid`, `locked`, `unavailable`, `unknown`, `refused`";
    APPEND_QUEUE = "gnomon_append_queue_requests", Kind::Gauge, Host, [],
        "Appends and imports that wait until a group takes them";
    APPENDS_POSSIBLE = "gnomon_appends_possible", Kind::Gauge, Host, [],
        "1 if Postgres takes appends of this host, as `/health/ready` finds out; 0 if not, or if it is not known within a second";

    HEAD_POSITION = "gnomon_head_position", Kind::Gauge, Database, [],
        "Position of the newest event";
    HEAD_AGE = "gnomon_head_age_seconds", Kind::Gauge, Database, [],
        "Age of the newest event by the clock of Postgres; below 0 if that clock went back";
    SUMMARY_LAG = "gnomon_log_statistics_lag_positions", Kind::Gauge, Database, [],
        "Positions from the end of the summary of the log, of which `/v1/stats` is made, to the head; up to 4,096 the answer counts by itself";

    BUILDS = "gnomon_builds", Kind::Gauge, Database, ["state"],
        "Builds and verifications by state; those that are retired do not count";
    BUILD_STATE = "gnomon_build_state", Kind::Gauge, Database, ["projection", "build", "version", "state", "role"],
        "1 for the state that a build is in. Its role: queries read the `active` one, may turn to a `candidate`, have left a `replaced` one and may turn back to it, and never read a `verifier`";
    BUILD_CHECKPOINT = "gnomon_build_checkpoint_position", Kind::Gauge, Database, ["projection", "build"],
        "Position up to which the build holds the effect of every event";
    BUILD_LAG_POSITIONS = "gnomon_build_lag_positions", Kind::Gauge, Database, ["projection", "build"],
        "Positions from the checkpoint of the build to the head";
    BUILD_LAG_SECONDS = "gnomon_build_lag_seconds", Kind::Gauge, Database, ["projection", "build"],
        "Age of the oldest event that the build has not handled; 0 if there is none";
    BUILD_DEAD_LETTERS = "gnomon_build_dead_letters", Kind::Gauge, Database, ["projection", "build"],
        "Events that the build has set aside";
    BUILD_LEASED = "gnomon_build_leased", Kind::Gauge, Database, ["projection", "build"],
        "1 if a host holds the lease of the build, else 0; only of builds that are to be worked on";
    BUILD_BLOCKED = "gnomon_build_blocked", Kind::Gauge, Database, ["projection", "build"],
        "1 if the build waits for a lock that another session of Postgres holds, else 0";
    PROJECTION_LAG_POSITIONS = "gnomon_projection_lag_positions", Kind::Gauge, Database, ["projection"],
        "Positions from the checkpoint of the active build, which queries read, to the head";
    PROJECTION_LAG_SECONDS = "gnomon_projection_lag_seconds", Kind::Gauge, Database, ["projection"],
        "Age of the oldest event that the active build has not handled; 0 if there is none";
    HANDLED_EVENTS = "gnomon_handled_events_total", Kind::Counter, Counted, ["projection"],
        "Events that this host has handled and committed, set aside ones included; of projections beyond the first 200 as `other`";
    SET_ASIDE_EVENTS = "gnomon_set_aside_events_total", Kind::Counter, Counted, ["projection"],
        "Events that this host has set aside as dead letters; of projections beyond the first 200 as `other`";
    BATCH_EVENTS = "gnomon_batch_events", COUNTS, Counted, [],
        "Events of a batch as it was read from the log";
    BATCH_DURATION = "gnomon_batch_duration_seconds", STEPS, Counted, ["step"],
        "Time of each step of a batch: `read` it from the log, `upcast` its events, `fold` them, `commit` rows and checkpoint. Steps of several \
         batches overlap";
    MODULE_FAILURES = "gnomon_module_failures_total", Kind::Counter, Counted, ["kind"],
        "Events that modules could not handle: `refused`, `trapped`, `timed_out`, `out_of_memory`, `broke_contract`";
    BUILD_STOPS = "gnomon_build_stops_total", Kind::Counter, Counted, ["reason"],
        "Ends of work on a build: `asked`, `barrier`, `lease_lost`, `interrupted`, `locked`, `panicked`, `halted`, `failed`, `finished` (a past build); after the first six \
         the work goes on, here or on another host";
    LEASES_HELD = "gnomon_leases_held", Kind::Gauge, Counted, [],
        "Builds that this host works on";
    LEASES_TAKEN = "gnomon_leases_taken_total", Kind::Counter, Counted, [],
        "Leases of builds that this host has taken";
    HOSTS = "gnomon_hosts", Kind::Gauge, Database, [],
        "Hosts that have shown within the last 15 s that they live";

    REACTOR_STATE = "gnomon_reactor_state", Kind::Gauge, Database, ["reactor", "version", "state"],
        "1 for the state that a reactor is in: `running`, `paused`, `halted` or `failed`";
    REACTOR_CHECKPOINT = "gnomon_reactor_checkpoint_position", Kind::Gauge, Database, ["reactor"],
        "Position up to which the reactor has handled every event";
    REACTOR_LAG_POSITIONS = "gnomon_reactor_lag_positions", Kind::Gauge, Database, ["reactor"],
        "Positions from the checkpoint of the reactor to the head";
    REACTOR_LAG_SECONDS = "gnomon_reactor_lag_seconds", Kind::Gauge, Database, ["reactor"],
        "Age of the oldest event that the reactor has not handled; 0 if there is none";
    REACTOR_DEAD_LETTERS = "gnomon_reactor_dead_letters", Kind::Gauge, Database, ["reactor"],
        "Events that the reactor has set aside";
    REACTOR_EVENTS = "gnomon_reactor_events_total", Kind::Counter, Counted, ["reactor"],
        "Events that this host has handed to reactors and committed, set aside ones included; of reactors beyond the first 200 as `other`";
    REACTOR_SET_ASIDE_EVENTS = "gnomon_reactor_set_aside_events_total", Kind::Counter, Counted, ["reactor"],
        "Events that this host has set aside as dead letters of reactors; of reactors beyond the first 200 as `other`";
    REACTOR_HANDLER_DURATION = "gnomon_reactor_handler_duration_seconds", EVENTS, Counted, ["reactor"],
        "Time in which the module of a reactor handles an event, the reading of its rows included: each event counts with the mean of its batch; \
         of reactors beyond the first 200 as `other`";
    REACTOR_BATCH_DURATION = "gnomon_reactor_batch_duration_seconds", STEPS, Counted, ["step"],
        "Time of each step of a batch of a reactor: `upcast` its events, `react` to them, `commit` rows, effects and checkpoint. Steps of several \
         batches overlap";
    REACTOR_EFFECTS = "gnomon_reactor_effects_total", Kind::Counter, Counted, ["kind"],
        "Effects that this host has committed: `append` (refused ones as well), `message`, to be published or called, `schedule`, made or cancelled";
    REACTOR_APPENDS_REFUSED = "gnomon_reactor_appends_refused_total", Kind::Counter, Counted, [],
        "Appends of reactors that were refused because the stream was not at the expected version, and that the reactor was told of";
    REACTOR_SCHEDULES_DUE = "gnomon_reactor_schedules_due_total", Kind::Counter, Counted, [],
        "Schedules that were due, and whose events this host has appended";
    REACTOR_MODULE_FAILURES = "gnomon_reactor_module_failures_total", Kind::Counter, Counted, ["kind"],
        "Events that reactors could not handle: `refused`, `trapped`, `timed_out`, `out_of_memory`, `broke_contract`";
    REACTOR_STOPS = "gnomon_reactor_stops_total", Kind::Counter, Counted, ["reason"],
        "Ends of work on a reactor: `asked`, `lease_lost`, `interrupted`, `panicked`, `halted`, `failed`; after the first four the work goes on, here or on \
         another host";
    REACTORS_HELD = "gnomon_reactors_held", Kind::Gauge, Counted, [],
        "Reactors that this host works on";

    MODULE_LOADS = "gnomon_module_loads_total", Kind::Counter, Counted, ["source"],
        "Modules that were wanted, by where they were: `memory`, `disk`, or `compiler` if their code was not kept";
    COMPILE_DURATION = "gnomon_module_compile_duration_seconds", COMPILES, Counted, [],
        "Time that compiling a module took, with the wait for its turn";
    MODULE_MEMORY = "gnomon_module_memory_bytes", Kind::Gauge, Host, [],
        "Memory of all instances of modules";
    MODULE_MEMORY_MAX = "gnomon_module_memory_max_bytes", Kind::Gauge, Host, [],
        "Memory that they may have together, `--max-total-memory-bytes`";
    MODULE_MEMORY_WAITING = "gnomon_module_memory_waiting_instances", Kind::Gauge, Host, [],
        "Instances that wait until others give memory back";

    ACTIVE_BUILD_LOOKUPS = "gnomon_active_build_lookups_total", Kind::Counter, Counted, ["source"],
        "Times that a query needed to know the active build, by where it was: `memory` or `database`";
    QUERY_CACHE_HITS = "gnomon_query_cache_hits_total", Kind::Counter, Counted, ["level"],
        "Queries on read models that were answered without reading rows, by where the answer was: `memory`, or `redis` if hosts share one";
    QUERY_CACHE_MISSES = "gnomon_query_cache_misses_total", Kind::Counter, Counted, [],
        "Queries on read models that had to read rows; none count while this host keeps no answers";
    QUERY_CACHE_BYTES = "gnomon_query_cache_bytes", Kind::Gauge, Host, [],
        "Bytes of the answers that this host keeps in memory";
    QUERY_CACHE_MAX = "gnomon_query_cache_max_bytes", Kind::Gauge, Host, [],
        "Bytes that they may have together, `--cache-bytes`";
    QUERY_CACHE_REDIS_FAILURES = "gnomon_query_cache_redis_failures_total", Kind::Counter, Counted, [],
        "Times that Redis was away, did not answer in time, refused a command, or had something else under the key of an answer";
    LIVE_FOLLOWERS = "gnomon_live_followers", Kind::Gauge, Host, [],
        "Those who follow live queries";
    LIVE_ROWS = "gnomon_live_rows", Kind::Gauge, Host, [],
        "Rows that live queries have, which may be 1,000,000 together";
    LIVE_WAITING_BYTES = "gnomon_live_waiting_bytes", Kind::Gauge, Host, [],
        "Bytes that wait for followers of live queries";
    LIVE_LOOKS = "gnomon_live_looks_total", Kind::Counter, Counted, [],
        "Times that it was looked for all who follow a projection, since something had changed or somebody began";
    LIVE_READS = "gnomon_live_reads_total", Kind::Counter, Counted, [],
        "Statements that have read rows for live queries";
    LIVE_CHANGES = "gnomon_live_changes_total", Kind::Counter, Counted, [],
        "Changes of rows that live queries have found, each of which goes to all followers of the query";
    LIVE_SNAPSHOTS = "gnomon_live_snapshots_total", Kind::Counter, Counted, ["reason"],
        "Times that a follower got all rows: since it began (`begin`), what has changed while it was away is not known (`gap`), or it read too slowly (`slow`)";
    QUERIES_RUNNING = "gnomon_queries_running", Kind::Gauge, Host, [],
        "Queries on read models that run";
    QUERIES_WAITING = "gnomon_queries_waiting", Kind::Gauge, Host, [],
        "Queries on read models that wait for their turn";

    OUTBOX_PENDING = "gnomon_outbox_pending_messages", Kind::Gauge, Database, ["sink"],
        "Messages that wait for the sink, those that are being sent included; 100,000 stands for that many or more";
    OUTBOX_OLDEST = "gnomon_outbox_oldest_pending_seconds", Kind::Gauge, Database, ["sink"],
        "Age of the oldest message that waits for the sink; 0 if there is none";
    OUTBOX_FAILED = "gnomon_outbox_failed_messages", Kind::Gauge, Database, ["sink"],
        "Messages to the sink that have failed, and that nobody has sent again or dropped; 100,000 stands for that many or more";
    OUTBOX_MESSAGES = "gnomon_outbox_messages_total", Kind::Counter, Counted, ["sink", "state"],
        "Messages that this host has `delivered`, or that have `failed` here; calls that have failed are `call_failed`, and their reactors know of it";
    OUTBOX_TRIES = "gnomon_outbox_tries_total", Kind::Counter, Counted, ["sink", "result"],
        "Times that this host has sent a message: the sink took it (`delivered`), will never take it (`refused`), or may take it `later`";
    OUTBOX_TRY_DURATION = "gnomon_outbox_try_duration_seconds", REQUESTS, Counted, ["sink"],
        "Time that the sink took to answer, or until that was given up";

    PUBLICATION_LAG = "gnomon_log_publication_lag_positions", Kind::Gauge, Database, ["sink"],
        "Positions from the last event that the sink is known to have published to the head; noted every 2 s";
    PUBLICATION_FAILING = "gnomon_log_publication_failing", Kind::Gauge, Database, ["sink"],
        "1 if the sink cannot publish the log, else 0";

    HTTP_REQUESTS = "gnomon_http_requests_total", Kind::Counter, Counted, ["method", "route", "status"],
        "Requests that were answered, by the route's pattern; what fits no route as `other`";
    HTTP_DURATION = "gnomon_http_request_duration_seconds", REQUESTS, Counted, ["method", "route"],
        "Time until the answer of a request began, what the client asked to wait for included";
    HTTP_UNDER_WAY = "gnomon_http_requests_under_way", Kind::Gauge, Host, ["kind"],
        "Requests under way: `appends`, `reads`, `waits`, `operations`, `followers`, `exports`";
    HTTP_MAX_UNDER_WAY = "gnomon_http_max_requests_under_way", Kind::Gauge, Host, ["kind"],
        "Requests of a kind that may be under way, `--max-appends` and so on";
    HTTP_REFUSED = "gnomon_http_refused_requests_total", Kind::Counter, Counted, ["kind"],
        "Requests that were refused because as many of their kind were under way as may be";
    HTTP_DENIED = "gnomon_http_denied_requests_total", Kind::Counter, Counted, ["reason"],
        "Requests without a token that the host takes (`unauthenticated`), with one that may not do this (`forbidden`), beyond the unknown tokens that \
         are looked up in a second (`too_many_tries`), or with a JWT while the host has no keys of its issuer (`no_issuer_keys`)";
    JWT_KEYS_AGE = "gnomon_jwt_keys_age_seconds", Kind::Gauge, Host, [],
        "Time since the keys of the issuer of JWTs were read, every 300 s, or every 5 s from a file; those of an issuer that is away hold for a day. Absent without \
         `--jwt-issuer`, and until they were read";
    JWT_KEYS_FAILURES = "gnomon_jwt_keys_failures_total", Kind::Counter, Counted, [],
        "Times that the keys of the issuer of JWTs could not be read";
    HTTP_REFUSED_CONNECTIONS = "gnomon_http_refused_connections_total", Kind::Counter, Counted, [],
        "Connections that were refused because all were busy, `--max-client-connections`";
    TENANT_READY = "gnomon_tenant_ready", Kind::Gauge, Host, ["tenant"],
        "1 if Postgres answers for the tenant and appends can be made, else 0; absent without `--tenants`, as all that follows of tenants";
    TENANT_REQUESTS = "gnomon_tenant_requests_total", Kind::Counter, Counted, ["tenant"],
        "Requests for the tenant, those that were refused included; those without a token are for no tenant, if tokens are asked for";
    TENANT_REFUSED = "gnomon_tenant_refused_requests_total", Kind::Counter, Counted, ["tenant"],
        "Requests that were refused because as many of the tenant were under way as may be, `max_requests`";
    TENANT_UNDER_WAY = "gnomon_tenant_requests_under_way", Kind::Gauge, Host, ["tenant"],
        "Requests of the tenant under way, until the end of their answers";
    TENANT_MAX_UNDER_WAY = "gnomon_tenant_max_requests_under_way", Kind::Gauge, Host, ["tenant"],
        "Requests of the tenant that may be under way, `max_requests`";
    TLS_CERTIFICATE_EXPIRES = "gnomon_tls_certificate_expires_timestamp_seconds", Kind::Gauge, Counted, [],
        "When the certificate that new connections get expires, in seconds of Unix time; 0 without `--tls-cert`";
    TLS_CERTIFICATE_REFUSED = "gnomon_tls_certificate_refused", Kind::Gauge, Counted, [],
        "1 while the files of `--tls-cert` and `--tls-key` cannot be used and new connections get the certificate before, else 0";
    TLS_FAILED_HANDSHAKES = "gnomon_tls_failed_handshakes_total", Kind::Counter, Counted, [],
        "Connections that ended before TLS was agreed upon: their clients do not trust the certificate, speak no TLS, or are too slow";

    POSTGRES_UP = "gnomon_postgres_up", Kind::Gauge, Host, [],
        "1 if Postgres answered within a second, else 0";
    POSTGRES_CLOCK_OFFSET = "gnomon_postgres_clock_offset_seconds", Kind::Gauge, Host, [],
        "The clock of Postgres less that of this host; the time of the answer is an error of it";
    POSTGRES_CONNECTIONS = "gnomon_postgres_connections", Kind::Gauge, Host, ["pool", "state"],
        "Connections of a pool that are open: `used` or `idle`. Queries of readers have the pool `queries`, all else has `lookups`";
    POSTGRES_MAX_CONNECTIONS = "gnomon_postgres_max_connections", Kind::Gauge, Host, ["pool"],
        "Connections that a pool may have";
    PRIVATE_POSTGRES_UP = "gnomon_private_postgres_up", Kind::Gauge, Host, [],
        "1 while the private Postgres of this host runs, 0 when it has ended; absent if the host was given a database";

    TELEMETRY_LOST = "gnomon_telemetry_lost_total", Kind::Counter, Counted, ["signal"],
        "Spans (`traces`) and log records (`logs`) that were not sent: as many waited as may, or the collector did not take them";

    PROCESS_CPU = "process_cpu_seconds_total", Kind::Counter, Host, [],
        "Processor time that the host has taken, of all its threads, in user and system mode; on Linux, as all that follows of the process";
    PROCESS_RESIDENT = "process_resident_memory_bytes", Kind::Gauge, Host, [],
        "Memory of the host that is in the machine's";
    PROCESS_VIRTUAL = "process_virtual_memory_bytes", Kind::Gauge, Host, [],
        "Addresses that the host has reserved: many, for modules, of which few are in use";
    PROCESS_THREADS = "process_threads", Kind::Gauge, Host, [],
        "Threads of the host";
    PROCESS_FILES = "process_open_fds", Kind::Gauge, Host, [],
        "Files and connections that the host has open";
    PROCESS_MAX_FILES = "process_max_fds", Kind::Gauge, Host, [],
        "Files and connections that it may have open; absent if there is no limit";
    PROCESS_START = "process_start_time_seconds", Kind::Gauge, Host, [],
        "When the host was started: seconds since 1970 by the clock of its machine";

    INFO = "gnomon_info", Kind::Gauge, Host, ["version"],
        "1, for the version of the program";
    SCRAPE_ERROR = "gnomon_scrape_error", Kind::Gauge, Host, ["part"],
        "1 if a part of this answer could not be read in time, and is left out or old: `log`, `builds`, `hosts`, `reactors`, `size`, `aggregates`, `outbox`; else 0";
}
