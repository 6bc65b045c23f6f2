//! A tenant: its database, and what it may take of the host.

use std::{thread, time::Duration};

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

use super::settings::ServerSettings;
use crate::http::TenantName;

/// Addresses for so many instances of modules are reserved for all tenants together, 4 GiB for each: a fourth of what a process may have.
const ALL_INSTANCES: usize = 8000;
/// A tenant has as many instances at least.
pub(super) const FEWEST_INSTANCES: usize = 125;
/// Answers of the largest size for which a tenant has memory at least, half of it for those that follow.
const FEWEST_ANSWERS: usize = 4;
/// How long one try to start the host of a tenant takes to connect, at most: there is always another one, and others wait for their turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A tenant of a host.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// Its database, which no other tenant has.
    pub database: PgConnectOptions,
    /// What it may take.
    pub limits: TenantLimits,
}

/// What a tenant may take of its host, where that is not what the host's own options say. Bytes of memory that are not given here are an equal part of
/// the host's; all else is as the host's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// Connections to Postgres, beside four that each tenant keeps.
    pub max_connections: Option<u32>,
    /// Requests under way, from the head of each to the end of its answer. An equal part of the connections of clients, if it is not given.
    pub max_requests: Option<usize>,
    /// As `--max-appends`.
    pub max_appends: Option<usize>,
    /// As `--max-reads`.
    pub max_reads: Option<usize>,
    /// As `--max-waits`.
    pub max_waits: Option<usize>,
    /// As `--max-operations`.
    pub max_operations: Option<usize>,
    /// As `--max-followers`.
    pub max_followers: Option<usize>,
    /// As `--max-exports`.
    pub max_exports: Option<usize>,
    /// As `--max-uploads`.
    pub max_uploads: Option<usize>,
    /// As `--max-bodies-bytes`.
    pub max_bodies_bytes: Option<usize>,
    /// As `--max-sending-bytes`.
    pub max_sending_bytes: Option<usize>,
    /// As `--max-total-memory-bytes`.
    pub max_total_memory_bytes: Option<usize>,
    /// As `--max-kept-rows-bytes`.
    pub max_kept_rows_bytes: Option<usize>,
    /// As `--cache-bytes`.
    pub cache_bytes: Option<usize>,
    /// As `--max-cache-bytes`.
    pub max_cache_bytes: Option<usize>,
    /// As `--replay-threads`.
    pub replay_threads: Option<usize>,
}

impl Tenant {
    /// The settings of the host of this tenant, one of `of`, beside a listener that has `settings`.
    pub(super) fn settings(&self, settings: &ServerSettings, of: usize) -> ServerSettings {
        let Self { name, limits, .. } = self;
        let mut own = settings.clone();
        let part = |given: Option<usize>, all: usize, least: usize| given.unwrap_or((all / of.max(1)).max(least));
        let set = |setting: &mut usize, given: Option<usize>| *setting = given.unwrap_or(*setting);
        // Folders that no other tenant reads.
        own.cache = settings.cache.as_ref().map(|folder| folder.join("tenants").join(name.as_str()));
        own.outbox.secrets_dir = settings.outbox.secrets_dir.as_ref().map(|folder| folder.join(name.as_str()));
        own.outbox.secrets_in_variables = false;
        // What it measures is its own.
        own.access.open_metrics = false;
        // With those of the host, one would have what is another one's: such a host does not start.
        own.access.jwt = None;
        own.personal_data_keys = None;
        own.connect_timeout = settings.connect_timeout.min(CONNECT_TIMEOUT);
        own.max_connections = limits.max_connections.unwrap_or(settings.max_connections);
        let work = &mut own.http.work;
        set(&mut work.max_appends, limits.max_appends);
        set(&mut work.max_reads, limits.max_reads);
        set(&mut work.max_waits, limits.max_waits);
        set(&mut work.max_operations, limits.max_operations);
        set(&mut work.max_followers, limits.max_followers);
        set(&mut work.max_exports, limits.max_exports);
        set(&mut own.limits.max_uploads, limits.max_uploads);
        set(&mut own.projector.replay_threads, limits.replay_threads);
        let http = &mut own.http;
        // Each body that is within its own limit has to fit, and so has each answer.
        let largest_body = http.max_body_bytes.max(own.limits.max_module_bytes);
        http.max_bodies_bytes = part(limits.max_bodies_bytes, http.max_bodies_bytes, largest_body);
        let answers = FEWEST_ANSWERS * http.max_answer_bytes.max(http.max_page_bytes);
        http.max_sending_bytes =
            part(limits.max_sending_bytes, http.max_sending_bytes, answers.min(http.max_sending_bytes));
        let memory = &mut own.limits.max_total_memory_bytes;
        *memory = part(limits.max_total_memory_bytes, *memory, own.limits.max_memory_bytes.min(*memory));
        let kept = &mut own.projector.max_kept_rows_bytes;
        *kept = part(limits.max_kept_rows_bytes, *kept, 0);
        own.reactors.max_kept_rows_bytes = part(None, own.reactors.max_kept_rows_bytes, 0);
        own.answers.cache_bytes = part(limits.cache_bytes, own.answers.cache_bytes, 0);
        own.limits.max_cache_bytes = part(limits.max_cache_bytes, own.limits.max_cache_bytes, 0);
        let instances = (ALL_INSTANCES / of.max(1)).max(FEWEST_INSTANCES);
        own.limits.max_instances = own.limits.max_instances.min(u32::try_from(instances).unwrap_or(u32::MAX));
        own.projector.folding_threads = folding_threads();
        own.reactors.folding_threads = folding_threads();
        own
    }
}

/// Batches that are folded at once for a tenant: some times what the processors do at once, since batches wait for rows as well.
pub(super) fn folding_threads() -> usize {
    2 * thread::available_parallelism().map_or(2, usize::from).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(limits: TenantLimits) -> Tenant {
        Tenant { name: "acme".parse().unwrap(), database: PgConnectOptions::new_without_pgpass(), limits }
    }

    #[test]
    fn memory_that_is_not_given_is_an_equal_part_and_folders_are_its_own() {
        let mut settings = ServerSettings { cache: Some("/data/compiled".into()), ..ServerSettings::default() };
        settings.outbox.secrets_dir = Some("/secrets".into());
        settings.access.open_metrics = true;
        let own = tenant(TenantLimits::default()).settings(&settings, 4);
        assert_eq!(own.cache.unwrap().to_str(), Some("/data/compiled/tenants/acme"));
        assert_eq!(own.outbox.secrets_dir.unwrap().to_str(), Some("/secrets/acme"));
        assert!(!own.outbox.secrets_in_variables && !own.access.open_metrics);
        assert_eq!(own.http.max_bodies_bytes, settings.http.max_bodies_bytes / 4);
        assert_eq!(own.projector.max_kept_rows_bytes, settings.projector.max_kept_rows_bytes / 4);
        assert_eq!(own.answers.cache_bytes, settings.answers.cache_bytes / 4);
        assert_eq!(own.http.work, settings.http.work);
        assert_eq!(own.max_connections, settings.max_connections);
        // Of many tenants each has what one of its requests may need.
        let own = tenant(TenantLimits::default()).settings(&settings, 64);
        assert_eq!(own.http.max_bodies_bytes, settings.limits.max_module_bytes);
        assert_eq!(own.limits.max_total_memory_bytes, settings.limits.max_memory_bytes);
        assert_eq!(own.limits.max_instances as usize, FEWEST_INSTANCES);
        assert!(own.http.max_sending_bytes / 2 >= own.http.max_answer_bytes);
    }

    #[test]
    fn what_is_given_holds() {
        let limits = r#"{"max_connections": 5, "max_appends": 1, "max_reads": 2, "max_waits": 3, "max_operations": 4,
            "max_followers": 6, "max_exports": 7, "max_uploads": 8, "max_bodies_bytes": 9, "max_sending_bytes": 10,
            "max_total_memory_bytes": 11, "max_kept_rows_bytes": 12, "cache_bytes": 13, "max_cache_bytes": 14, "replay_threads": 15}"#;
        let own = tenant(serde_json::from_str(limits).unwrap()).settings(&ServerSettings::default(), 3);
        let work = &own.http.work;
        let places = [work.max_appends, work.max_reads, work.max_waits, work.max_operations, work.max_followers];
        assert_eq!((places, work.max_exports, own.max_connections), ([1, 2, 3, 4, 6], 7, 5));
        let bytes = [own.http.max_bodies_bytes, own.http.max_sending_bytes, own.limits.max_total_memory_bytes];
        assert_eq!((bytes, own.projector.max_kept_rows_bytes), ([9, 10, 11], 12));
        assert_eq!((own.answers.cache_bytes, own.limits.max_cache_bytes), (13, 14));
        assert_eq!((own.limits.max_uploads, own.projector.replay_threads), (8, 15));
    }
}
