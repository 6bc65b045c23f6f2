//! Limits of the HTTP API.

use clap::{ArgAction, Args};

use super::{range::between, seconds::Seconds};
use crate::http::{AllowedHost, ConnectionSettings, CorsOrigin, HttpSettings, WorkSettings};

/// Limits of the HTTP API.
#[derive(Args, Clone, Debug)]
pub(super) struct HttpOptions {
    /// Maximum bytes of the body of a request that is neither an import nor a module
    #[arg(long, env = "GNOMON_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_body_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_body_bytes: usize,

    /// Maximum bytes of an import
    #[arg(long, env = "GNOMON_MAX_IMPORT_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_import_bytes,
        value_parser = between::<u64>(1, 1 << 40))]
    max_import_bytes: u64,

    /// Maximum bytes that the bodies of all requests take together in memory
    #[arg(long, env = "GNOMON_MAX_BODIES_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_bodies_bytes,
        hide_short_help = true, value_parser = between::<usize>(1, 1 << 40))]
    max_bodies_bytes: usize,

    /// Maximum events or streams of one page
    #[arg(long, env = "GNOMON_MAX_PAGE", value_name = "NUMBER", default_value_t = HttpSettings::default().max_page,
        value_parser = between::<usize>(1, 100_000))]
    max_page: usize,

    /// Maximum rows of one page of a read model
    #[arg(long, env = "GNOMON_MAX_ROWS", value_name = "NUMBER", default_value_t = HttpSettings::default().max_rows,
        value_parser = between::<u64>(1, 1_000_000))]
    max_rows: u64,

    /// Maximum bytes of the events of one page, which ends early then
    #[arg(long, env = "GNOMON_MAX_PAGE_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_page_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_page_bytes: usize,

    /// Maximum bytes of one answer of a read model
    #[arg(long, env = "GNOMON_MAX_ANSWER_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_answer_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_answer_bytes: usize,

    /// Maximum bytes of all answers that are being sent. Half of them are for followers
    #[arg(long, env = "GNOMON_MAX_SENDING_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_sending_bytes,
        value_parser = between::<usize>(1, 1 << 38))]
    max_sending_bytes: usize,

    /// Whether queries on read models may aggregate rows, as in select=amount.sum()
    #[arg(long, env = "GNOMON_AGGREGATES", value_name = "BOOL", default_value_t = HttpSettings::default().aggregates,
        action = ArgAction::Set)]
    aggregates: bool,

    /// Show how Postgres reads a query on a read model to who accepts application/vnd.pgrst.plan. Plans tell the names and the numbers of rows
    /// of what is in the database
    #[arg(long, env = "GNOMON_PLANS")]
    plans: bool,

    /// Seconds after which a query on a read model is ended
    #[arg(long, env = "GNOMON_QUERY_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().query_timeout),
        value_parser = Seconds::between(0.001, 86_400.0))]
    query_timeout: Seconds,

    /// Seconds after which an export of a read model, as Parquet or Arrow, is ended, however far its client has read
    #[arg(long, env = "GNOMON_EXPORT_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().export_timeout),
        value_parser = Seconds::between(0.1, 604_800.0))]
    export_timeout: Seconds,

    /// Maximum seconds that a request may wait for a position or for a comparison
    #[arg(long, env = "GNOMON_MAX_WAIT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().max_wait),
        value_parser = Seconds::between(0.0, 86_400.0))]
    max_wait: Seconds,

    /// Say in the metadata of each event that is appended over HTTP who appends it, as `actor`. Events that have a member of that name are refused
    #[arg(long, env = "GNOMON_ACTOR_IN_METADATA")]
    actor_in_metadata: bool,

    /// An origin whose pages may read with a browser, such as https://app.example, or * for each; repeatable. Without it, browsers
    /// show answers to pages of the host's own origin only
    #[arg(long = "cors-origin", env = "GNOMON_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<CorsOrigin>,

    /// A name by which clients call the host, such as gnomon.example, or * for each; repeatable. Without it, a host answers those that call
    /// it by an address or as localhost
    #[arg(long = "allowed-host", env = "GNOMON_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',')]
    allowed_hosts: Vec<AllowedHost>,

    #[command(flatten)]
    connections: ClientConnectionOptions,
    #[command(flatten)]
    work: WorkOptions,
}

/// The connections of clients.
#[derive(Args, Clone, Debug)]
struct ClientConnectionOptions {
    /// Maximum connections of clients; idle ones make room for new ones
    #[arg(long, env = "GNOMON_MAX_CLIENT_CONNECTIONS", value_name = "NUMBER",
        default_value_t = ConnectionSettings::default().max_client_connections, hide_short_help = true,
        value_parser = between::<usize>(1, 1_000_000))]
    max_client_connections: usize,

    /// Seconds for which a connection may be open until the head of its next request is there
    #[arg(long, env = "GNOMON_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(ConnectionSettings::default().idle_timeout),
        hide_short_help = true, value_parser = Seconds::between(0.1, 86_400.0))]
    idle_timeout: Seconds,

    /// Seconds for which a client may read nothing of an answer that it gets
    #[arg(long, env = "GNOMON_WRITE_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(ConnectionSettings::default().write_timeout),
        hide_short_help = true, value_parser = Seconds::between(0.1, 86_400.0))]
    write_timeout: Seconds,
}

/// The requests under way.
#[derive(Args, Clone, Debug)]
struct WorkOptions {
    /// Maximum appends and imports under way; more are refused
    #[arg(long, env = "GNOMON_MAX_APPENDS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_appends,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_appends: usize,

    /// Maximum reads under way that wait for nothing; more are refused
    #[arg(long, env = "GNOMON_MAX_READS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_reads,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_reads: usize,

    /// Maximum requests that wait for a position or for a comparison; more are refused
    #[arg(long, env = "GNOMON_MAX_WAITS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_waits,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_waits: usize,

    /// Maximum operations on projections under way; more are refused
    #[arg(long, env = "GNOMON_MAX_OPERATIONS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_operations,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_operations: usize,

    /// Maximum answers that follow; more are refused
    #[arg(long, env = "GNOMON_MAX_FOLLOWERS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_followers,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_followers: usize,

    /// Maximum exports of read models under way, each with a connection to Postgres; more are refused
    #[arg(long, env = "GNOMON_MAX_EXPORTS", value_name = "NUMBER", default_value_t = WorkSettings::default().max_exports,
        hide_short_help = true, value_parser = between::<usize>(1, 1_000_000))]
    max_exports: usize,

    /// Seconds for which a client may send nothing of a body
    #[arg(long, env = "GNOMON_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(WorkSettings::default().body_timeout),
        hide_short_help = true, value_parser = Seconds::between(0.1, 86_400.0))]
    body_timeout: Seconds,

    /// Seconds that a request may take until its answer begins, beside those that it asks to wait; imports and comparisons take
    /// as long as they need
    #[arg(long, env = "GNOMON_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(WorkSettings::default().request_timeout),
        hide_short_help = true, value_parser = Seconds::between(0.1, 86_400.0))]
    request_timeout: Seconds,
}

impl HttpOptions {
    pub(super) fn settings(&self) -> HttpSettings {
        HttpSettings {
            max_body_bytes: self.max_body_bytes,
            max_import_bytes: self.max_import_bytes,
            max_bodies_bytes: self.max_bodies_bytes,
            max_page: self.max_page,
            max_rows: self.max_rows,
            max_page_bytes: self.max_page_bytes,
            max_answer_bytes: self.max_answer_bytes,
            max_sending_bytes: self.max_sending_bytes,
            aggregates: self.aggregates,
            plans: self.plans,
            query_timeout: self.query_timeout.0,
            export_timeout: self.export_timeout.0,
            max_wait: self.max_wait.0,
            cors_origins: self.cors_origins.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
            actor_in_metadata: self.actor_in_metadata,
            connections: self.connections.settings(),
            work: self.work.settings(),
        }
    }
}

impl ClientConnectionOptions {
    fn settings(&self) -> ConnectionSettings {
        ConnectionSettings {
            max_client_connections: self.max_client_connections,
            idle_timeout: self.idle_timeout.0,
            write_timeout: self.write_timeout.0,
            ..ConnectionSettings::default()
        }
    }
}

impl WorkOptions {
    fn settings(&self) -> WorkSettings {
        WorkSettings {
            max_appends: self.max_appends,
            max_reads: self.max_reads,
            max_waits: self.max_waits,
            max_operations: self.max_operations,
            max_followers: self.max_followers,
            max_exports: self.max_exports,
            body_timeout: self.body_timeout.0,
            request_timeout: self.request_timeout.0,
        }
    }
}
