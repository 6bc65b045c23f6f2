//! Reading with a cache in front, on a real Postgres, without a host that works on the builds.

mod equal;
mod export;
mod export_cells;
mod fresh;
mod from_position;
mod linear;
mod live;
mod live_bounds;
mod live_sequences;

use std::time::Duration;

use serde_json::Value as Json;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::watch;

use super::*;
use crate::{
    builds::{BuildNumber, CommitsHere, tests::TestBuilds},
    event_log::Position,
};

/// The reading side of a host.
struct Reader {
    queries: Queries,
    limits: ReadLimits,
    /// What the workers of this host say, of which there are none.
    committed: watch::Sender<CommitsHere>,
    /// How often the host has noticed that the database was restored.
    restores: watch::Sender<u64>,
}

/// What a reader was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    build: BuildNumber,
    position: Position,
    text: String,
    rows: u64,
    offset: u64,
    total: Option<u64>,
    tag: Option<String>,
}

impl Reader {
    /// One that may keep so many bytes.
    async fn start(options: PgConnectOptions, cache_bytes: usize) -> Self {
        let database = Database::connect(options, 8, Duration::from_secs(60)).await.unwrap();
        let (committed, receive) = watch::channel(CommitsHere::default());
        let settings = CacheSettings { cache_bytes, cache_url: None };
        let restores = watch::Sender::new(0);
        let awaited = watch::Sender::new(Position::default());
        let queries = Queries::new(&database, restores.subscribe(), receive, awaited, &settings);
        Self { queries, limits: ReadLimits::default(), committed, restores }
    }

    async fn on(builds: &TestBuilds) -> Self {
        Self::start(builds.database.connect_options(), CacheSettings::default().cache_bytes).await
    }

    fn request<'r>(&'r self, builds: &'r TestBuilds, query: &'r str) -> ReadRequest<'r> {
        ReadRequest::new(&builds.name, "sums", query, &self.limits)
    }

    async fn try_read(&self, request: ReadRequest<'_>) -> Result<Read, ReadError> {
        let Answer { body, rows, offset, total, next: _, position, origin, tag } = self.queries.read(request).await?;
        let words = ["now", "yesterday", "tomorrow"];
        let depends_on_clock = words.iter().any(|word| request.query.to_lowercase().contains(word));
        assert_eq!(tag.is_none(), depends_on_clock, "{}", request.query);
        assert_eq!(body.text().len(), body.bytes());
        let build = origin.build.unwrap();
        Ok(Read { build, position, text: body.text(), rows, offset, total, tag: tag.map(|tag| tag.to_string()) })
    }

    async fn read(&self, builds: &TestBuilds, query: &str) -> Read {
        self.try_read(self.request(builds, query)).await.unwrap()
    }

    /// Whether the answer is kept: the table is locked, so that nobody can read its rows.
    async fn is_kept(&self, builds: &TestBuilds, query: &str) -> bool {
        let _locked = lock(builds).await;
        // It is in no key. A kept answer needs less; a query that has to read the rows waits for the lock for longer.
        let limits = ReadLimits { timeout: Duration::from_secs(1), ..self.limits.clone() };
        let request = ReadRequest { limits: &limits, ..self.request(builds, query) };
        match self.queries.read(request).await {
            Ok(_) => true,
            Err(ReadError::TimedOut(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Read {
    /// The column `n` of its rows.
    fn numbers(&self) -> Vec<i64> {
        let rows: Json = serde_json::from_str(&self.text).unwrap();
        rows.as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()).collect()
    }
}

/// The table of the active build.
async fn table(builds: &TestBuilds) -> String {
    let found = "SELECT format('build_%s.sums', build) FROM gnomon.builds WHERE role = 'active'";
    sqlx::query_scalar(found).fetch_one(&builds.pool).await.unwrap()
}

/// Holds a lock on the table of the active build, so that nobody can read it until this is dropped.
async fn lock(builds: &TestBuilds) -> PgConnection {
    let mut connection = PgConnection::connect_with(&builds.database.connect_options()).await.unwrap();
    let statement = format!("BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table(builds).await);
    sqlx::raw_sql(&statement).execute(&mut connection).await.unwrap();
    connection
}
