//! Reading what is only known when somebody asks.
//!
//! One answer at a time is read, however many ask, and each part of it for a bounded time.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{sync::Mutex, time::timeout};
use tracing::debug;

use super::{builds, reactors};
use crate::{
    event_log::{HeadReading, WantedStatistics},
    http::{admit::Door, seldom::Seldom, state::Api},
    metrics::{Measures, Readings, add_process, names, of_host},
};

/// How long Postgres may take for each part of an answer.
const PART_TIMEOUT: Duration = Duration::from_secs(1);
/// Who asks so soon after somebody else gets the same readings.
const SHARED_FOR: Duration = Duration::from_millis(500);
/// Builds that are shown. Projections have a bounded number of builds, and there is no bound for projections.
const MAX_BUILDS: usize = 1000;
/// The longest streams that are shown.
const STREAMS: usize = 10;
/// How often the size of the log is looked up: for each file of it, Postgres asks the system.
const SIZE_EVERY: Duration = Duration::from_secs(30);

/// Reads what is shown. Clones are handles on one.
#[derive(Clone, Debug)]
pub(in crate::http) struct Scrapes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    api: Api,
    door: Door,
    last: Mutex<Option<(Instant, Readings)>>,
    size: Seldom<u64>,
}

impl Scrapes {
    pub(in crate::http) fn new(api: Api, door: Door) -> Self {
        Self(Arc::new(Shared { api, door, last: Mutex::default(), size: Seldom::new(SIZE_EVERY) }))
    }

    /// All measures, as a text. Of a tenant those that are read: what is counted is counted for the whole process, and names what others have.
    pub(super) async fn text(&self) -> String {
        let readings = self.readings().await;
        if self.0.api.tenant.is_some() { Measures::text_of_readings(readings) } else { of_host().text(readings) }
    }

    /// What is known now. If Postgres does not answer, it takes as long as one part; and as long as five if each is there just in time.
    async fn readings(&self) -> Readings {
        let mut last = self.0.last.lock().await;
        if let Some((read, readings)) = &*last
            && read.elapsed() < SHARED_FOR
        {
            return readings.clone();
        }
        let mut readings = Readings::default();
        self.add_host(&mut readings);
        self.add_database(&mut readings).await;
        *last = Some((Instant::now(), readings.clone()));
        readings
    }

    /// What the host knows of itself.
    fn add_host(&self, readings: &mut Readings) {
        let Shared { api, door, .. } = &*self.0;
        readings.add_count(names::INFO, &[env!("CARGO_PKG_VERSION")], 1_u64);
        if api.tenant.is_none() {
            add_whole_process(readings);
        }
        readings.add_count(names::APPEND_QUEUE, &[], api.log.waiting_appends());
        let memory = api.modules.memory();
        readings.add_count(names::MODULE_MEMORY, &[], memory.used());
        readings.add_count(names::MODULE_MEMORY_MAX, &[], memory.max());
        readings.add_count(names::MODULE_MEMORY_WAITING, &[], memory.waiting());
        let (running, waiting) = api.queries.load();
        readings.add_count(names::QUERIES_RUNNING, &[], running);
        readings.add_count(names::QUERIES_WAITING, &[], waiting);
        let (kept, most) = api.queries.cache_bytes();
        readings.add_count(names::QUERY_CACHE_BYTES, &[], kept);
        readings.add_count(names::QUERY_CACHE_MAX, &[], most);
        let live = api.queries.live_load();
        readings.add_count(names::LIVE_FOLLOWERS, &[], live.followers);
        readings.add_count(names::LIVE_ROWS, &[], live.rows);
        readings.add_count(names::LIVE_WAITING_BYTES, &[], live.waiting_bytes);
        for of in door.under_way() {
            readings.add_count(names::HTTP_UNDER_WAY, &[of.kind], of.requests);
            readings.add_count(names::HTTP_MAX_UNDER_WAY, &[of.kind], of.max);
        }
        for pool in api.database.pools() {
            readings.add_count(names::POSTGRES_MAX_CONNECTIONS, &[pool.name], pool.max);
            readings.add_count(names::POSTGRES_CONNECTIONS, &[pool.name, "used"], pool.used);
            readings.add_count(names::POSTGRES_CONNECTIONS, &[pool.name, "idle"], pool.open.saturating_sub(pool.used));
        }
        if let Some(age) = api.access.issuer_keys_age() {
            readings.add(names::JWT_KEYS_AGE, &[], age.as_secs_f64());
        }
    }

    /// What Postgres says.
    async fn add_database(&self, readings: &mut Readings) {
        let Shared { api, size, .. } = &*self.0;
        let for_size = api.log.clone();
        // One after the other, so that it takes one connection from the host's work; and no more after one that did not come.
        let looked = async {
            let Some(head) = in_time(api.log.head_reading()).await else { return (None, None, None, None, None, None) };
            let Some(found) = in_time(api.operations.build_readings(MAX_BUILDS)).await else {
                return (Some(head), None, None, None, None, None);
            };
            let Some(hosts) = in_time(api.operations.living_hosts()).await else {
                return (Some(head), Some(found), None, None, None, None);
            };
            let Some(reactors) = in_time(api.operations.reactor_readings(MAX_BUILDS)).await else {
                return (Some(head), Some(found), Some(hosts), None, None, None);
            };
            let Some(messages) = in_time(api.outbox.readings()).await else {
                return (Some(head), Some(found), Some(hosts), Some(reactors), None, None);
            };
            let longest = WantedStatistics { limit: STREAMS, days: 1 };
            let statistics = in_time(api.log.statistics(longest)).await;
            (Some(head), Some(found), Some(hosts), Some(reactors), Some(messages), statistics)
        };
        let ((head, found, hosts, reactors, messages, statistics), appends, (bytes, bytes_are_current)) = tokio::join!(
            looked,
            in_time(api.log.check_appends()),
            size.get(PART_TIMEOUT, async move { for_size.bytes().await }),
        );
        readings.add_count(names::APPENDS_POSSIBLE, &[], u64::from(appends.is_some()));
        readings.add_count(names::POSTGRES_UP, &[], u64::from(head.is_some()));
        for (part, is_current) in [
            ("log", head.is_some()),
            ("builds", found.is_some()),
            ("hosts", hosts.is_some()),
            ("reactors", reactors.is_some()),
            ("size", bytes_are_current),
            ("aggregates", statistics.is_some()),
            ("outbox", messages.is_some()),
        ] {
            readings.add_count(names::SCRAPE_ERROR, &[part], u64::from(!is_current));
        }
        let head_position = head.as_ref().map(|head| head.position);
        if let Some(head) = head {
            add_head(readings, head);
        }
        if let Some(found) = found {
            builds::add(readings, &found);
        }
        if let Some(hosts) = hosts {
            readings.add_count(names::HOSTS, &[], hosts);
        }
        reactors::add(readings, &reactors.unwrap_or_default());
        for reading in messages.unwrap_or_default() {
            let labels = [reading.sink.as_str()];
            readings.add_count(names::OUTBOX_PENDING, &labels, reading.pending);
            readings.add(names::OUTBOX_OLDEST, &labels, reading.oldest_seconds);
            readings.add_count(names::OUTBOX_FAILED, &labels, reading.failed);
            if let (Some(published), Some(head)) = (reading.published, head_position) {
                readings.add_count(names::PUBLICATION_LAG, &labels, head.0.saturating_sub(published.0));
                readings.add_count(names::PUBLICATION_FAILING, &labels, u64::from(reading.is_failing));
            }
        }
        if let Some(bytes) = bytes {
            readings.add_count(names::STORE_SIZE, &[], bytes);
        }
        for stream in statistics.unwrap_or_default().longest_streams {
            readings.add_count(names::EVENTS_BY_AGGREGATE, &[stream.stream.as_str()], stream.version.0);
        }
    }
}

/// What the whole process has, and takes.
fn add_whole_process(readings: &mut Readings) {
    if let Some(up) = of_host().private_postgres.up() {
        readings.add_count(names::PRIVATE_POSTGRES_UP, &[], u64::from(up));
    }
    add_process(readings);
}

fn add_head(readings: &mut Readings, head: HeadReading) {
    readings.add_count(names::HEAD_POSITION, &[], head.position.0);
    readings.add_count(names::SUMMARY_LAG, &[], head.summary_lag);
    if let Some(age) = head.age {
        readings.add(names::HEAD_AGE, &[], age);
    }
    let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    readings.add(names::POSTGRES_CLOCK_OFFSET, &[], head.now - here);
}

/// A part of the answer; `None` if it cannot be read, or not in time.
async fn in_time<T, E: std::fmt::Display>(read: impl Future<Output = Result<T, E>>) -> Option<T> {
    match timeout(PART_TIMEOUT, read).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(error)) => {
            debug!(%error, "a part of the measures cannot be read");
            None
        }
        Err(_) => None,
    }
}
