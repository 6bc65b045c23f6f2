//! The log on a real Postgres.

mod append;
mod append_only;
mod blocks;
mod condition;
mod follow;
mod import;
mod known_head;
mod measures;
mod outage;
mod personal;
mod read;
mod restore;
mod several_hosts;
mod statistics;
mod tags;
mod turns;
mod types;
mod within;

use sqlx::PgPool;
use uuid::Uuid;

use super::*;
use crate::postgres::{migrate, test_database::TestDatabase};

/// A log in a database of its own.
pub(crate) struct TestLog {
    pub(crate) log: EventLog,
    pub(crate) pool: PgPool,
    database: TestDatabase,
}

impl TestLog {
    pub(crate) async fn open() -> Self {
        Self::open_with(EventLogSettings::default()).await
    }

    async fn open_with(settings: EventLogSettings) -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), settings).await.unwrap();
        Self { log, pool, database }
    }

    /// The same log as another host sees it.
    async fn other_host(&self) -> EventLog {
        EventLog::open(self.database.pool().await, EventLogSettings::default()).await.unwrap()
    }

    async fn append(&self, stream: &str, types: &[&str]) -> Appended {
        append(&self.log, stream, ExpectedVersion::Any, types.iter().map(|name| event(name)).collect()).await.unwrap()
    }

    /// The stream, version and type of every event in the log.
    async fn all(&self) -> Vec<(String, u64, String)> {
        let page = self.log.read(Direction::Forward, None, 100_000, &Filter::default()).await.unwrap();
        page.events.into_iter().map(|event| (event.stream.into(), event.version.0, event.event_type.into())).collect()
    }
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

pub(crate) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

pub(crate) fn event(event_type: &str) -> NewEvent {
    NewEvent {
        id: EventId::make(),
        event_type: EventType::new(event_type).unwrap(),
        schema_version: SchemaVersion::FIRST,
        time: None,
        data: json("{}"),
        metadata: None,
        tags: Vec::new(),
    }
}

fn tagged(event_type: &str, tags: &[&str]) -> NewEvent {
    NewEvent { tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(), ..event(event_type) }
}

/// A query whose items are types and tags.
fn query(items: &[(&[&str], &[&str])]) -> EventQuery {
    let item = |(types, tags): &(&[&str], &[&str])| QueryItem {
        types: types.iter().map(|name| EventType::new(*name).unwrap()).collect(),
        tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
    };
    EventQuery { items: items.iter().map(item).collect() }
}

fn event_with_id(id: u128, event_type: &str) -> NewEvent {
    NewEvent { id: EventId::Given(Uuid::from_u128(id)), ..event(event_type) }
}

async fn append(
    log: &EventLog,
    name: &str,
    expected: ExpectedVersion,
    events: Vec<NewEvent>,
) -> Result<Appended, AppendError> {
    append_if(log, name, expected, events, None).await
}

async fn append_if(
    log: &EventLog,
    name: &str,
    expected: ExpectedVersion,
    events: Vec<NewEvent>,
    condition: Option<AppendCondition>,
) -> Result<Appended, AppendError> {
    let appended = log.append(vec![Append { stream: stream(name), expected, events }], condition).await?;
    Ok(appended.into_iter().next().unwrap())
}
