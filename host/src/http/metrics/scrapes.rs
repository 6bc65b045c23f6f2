//! Reading what is only known when somebody asks.
//!
//! One answer at a time is read, however many ask, and each part of it for a bounded time.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{sync::Mutex, time::timeout};
use tracing::debug;

use super::{builds, seldom::Seldom};
use crate::{
    event_log::{HeadReading, StreamSummary},
    http::{admit::Door, state::Api},
    metrics::{Readings, names, of_host},
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
/// How often the longest streams are looked for: Postgres reads all streams for it.
const STREAMS_EVERY: Duration = Duration::from_secs(600);

/// Reads what is shown. Clones are handles on one.
#[derive(Clone, Debug)]
pub(in crate::http) struct Scrapes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    api: Api,
    door: Door,
    last: Mutex<Option<(Instant, Readings)>>,
    size: Seldom<u64>,
    streams: Seldom<Vec<StreamSummary>>,
}

impl Scrapes {
    pub(in crate::http) fn new(api: Api, door: Door) -> Self {
        let (size, streams) = (Seldom::new(SIZE_EVERY), Seldom::new(STREAMS_EVERY));
        Self(Arc::new(Shared { api, door, last: Mutex::default(), size, streams }))
    }

    /// What is known now. If Postgres does not answer, it takes as long as one part; and as long as three if each is there just in time.
    pub(super) async fn readings(&self) -> Readings {
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
        for of in door.under_way() {
            readings.add_count(names::HTTP_UNDER_WAY, &[of.kind], of.requests);
            readings.add_count(names::HTTP_MAX_UNDER_WAY, &[of.kind], of.max);
        }
        for pool in api.database.pools() {
            readings.add_count(names::POSTGRES_MAX_CONNECTIONS, &[pool.name], pool.max);
            readings.add_count(names::POSTGRES_CONNECTIONS, &[pool.name, "used"], pool.used);
            readings.add_count(names::POSTGRES_CONNECTIONS, &[pool.name, "idle"], pool.open.saturating_sub(pool.used));
        }
        if let Some(up) = of_host().private_postgres.up() {
            readings.add_count(names::PRIVATE_POSTGRES_UP, &[], u64::from(up));
        }
    }

    /// What Postgres says.
    async fn add_database(&self, readings: &mut Readings) {
        let Shared { api, size, streams, .. } = &*self.0;
        let (for_size, for_streams) = (api.log.clone(), api.log.clone());
        // One after the other, so that it takes one connection from the host's work; and no more after one that did not come.
        let looked = async {
            let Some(head) = in_time(api.log.head_reading()).await else { return (None, None, None) };
            let Some(found) = in_time(api.operations.build_readings(MAX_BUILDS)).await else {
                return (Some(head), None, None);
            };
            (Some(head), Some(found), in_time(api.operations.living_hosts()).await)
        };
        let ((head, found, hosts), appends, (bytes, bytes_are_current), (longest, longest_are_current)) = tokio::join!(
            looked,
            in_time(api.log.check_appends()),
            size.get(PART_TIMEOUT, async move { for_size.bytes().await }),
            streams.get(PART_TIMEOUT, async move { for_streams.longest_streams(STREAMS).await }),
        );
        readings.add_count(names::APPENDS_POSSIBLE, &[], u64::from(appends.is_some()));
        readings.add_count(names::POSTGRES_UP, &[], u64::from(head.is_some()));
        for (part, is_current) in [
            ("log", head.is_some()),
            ("builds", found.is_some()),
            ("hosts", hosts.is_some()),
            ("size", bytes_are_current),
            ("aggregates", longest_are_current),
        ] {
            readings.add_count(names::SCRAPE_ERROR, &[part], u64::from(!is_current));
        }
        if let Some(head) = head {
            add_head(readings, head);
        }
        if let Some(found) = found {
            builds::add(readings, &found);
        }
        if let Some(hosts) = hosts {
            readings.add_count(names::HOSTS, &[], hosts);
        }
        if let Some(bytes) = bytes {
            readings.add_count(names::STORE_SIZE, &[], bytes);
        }
        for stream in longest.unwrap_or_default() {
            readings.add_count(names::EVENTS_BY_AGGREGATE, &[stream.stream.as_str()], stream.version.0);
        }
    }
}

fn add_head(readings: &mut Readings, head: HeadReading) {
    readings.add_count(names::HEAD_POSITION, &[], head.position.0);
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
