//! Builds on a real Postgres, without modules; and what tests of other rooms create builds with.

mod align;
mod lease;
mod measures;
mod order;
mod row_changes;
mod sequences;
mod store;
mod swap;
mod views;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;

use super::{state::*, store::Marks, *};
use crate::{
    event_log::{
        EventLog, EventLogSettings, Position,
        tests::{event, stream},
    },
    modules::{ModuleVersion, store_version},
    postgres::{migrate, test_database::TestDatabase},
    read_model::{ColumnType, Identifier, Row, Table, TableDeclaration, TableSet, Value, WriteSet, samples},
    runtime::{Descriptor, ProjectionDescriptor, Sdk},
    subscriptions::{
        AdvanceError, Barrier, Batches, Handled, HostKey, Lease, Rows, Step, acquire, advance, set_barriers,
    },
};

const LEASE: Duration = Duration::from_secs(60);

/// The builds of projection `totals`, whose table `sums` has a key `id`.
pub(crate) struct TestBuilds {
    pub(crate) pool: PgPool,
    pub(crate) name: Identifier,
    pub(crate) database: TestDatabase,
}

impl TestBuilds {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let name = Identifier::new("totals").unwrap();
        Self { pool, name, database }
    }

    /// A build of a version whose table has these columns of whole numbers beside its key.
    pub(crate) async fn build(&self, version: u32, columns: &[&str]) -> (BuildId, TableSet) {
        let columns: Vec<(&str, ColumnType)> = columns.iter().map(|name| (*name, ColumnType::I64)).collect();
        self.build_with(version, &columns).await
    }

    /// A build of a version whose table has these columns beside its key. Versions before it that are not stored yet get the same
    /// table.
    pub(crate) async fn build_with(&self, version: u32, columns: &[(&str, ColumnType)]) -> (BuildId, TableSet) {
        self.build_of(version, None, declaration(columns)).await
    }

    /// A build of a version that has this table, and says this of its projection.
    pub(crate) async fn build_of(
        &self,
        version: u32,
        description: Option<&str>,
        declaration: TableDeclaration,
    ) -> (BuildId, TableSet) {
        let descriptor = Descriptor::Projection(ProjectionDescriptor {
            sdk: Sdk::of_tests(),
            description: description.map(str::to_owned),
            tables: vec![declaration.clone()],
            all_types: true,
            event_types: vec![],
            categories: vec![],
            tags: vec![],
            partitioned_by: None,
        });
        let mut transaction = crate::postgres::begin(&self.pool).await.unwrap();
        for number in 1..=version {
            // No module is loaded in these tests, so any bytes stand for the component.
            let bytes = format!("the component of version {number}");
            store_version(&mut transaction, &self.name, descriptor.clone(), bytes.as_bytes()).await.unwrap();
        }
        ensure_projection(&mut transaction, &self.name).await.unwrap();
        let purpose = NewBuildPurpose::Queries(Activation::Auto);
        let new = NewBuild { version: ModuleVersion(version), upcasters: Vec::new(), purpose };
        let build = super::store::insert(&mut transaction, &self.name, &new).await.unwrap().id;
        let tables = TableSet::new(build.schema(), &[Arc::new(Table::check(&declaration).unwrap())]);
        tables.create(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        (build, tables)
    }

    /// Appends so many events to the log.
    pub(crate) async fn append(&self, events: usize) {
        let log = EventLog::open(self.pool.clone(), EventLogSettings::default()).await.unwrap();
        let events = (0..events).map(|_| (stream("count-1"), event("Counted"))).collect();
        log.import(events, 1).await.unwrap();
    }

    pub(crate) async fn lease(&self, build: BuildId) -> Lease {
        let mut lease = None;
        // A transaction that was dropped holds its rows until its connection has rolled back.
        test_support::until("the lease is free", async || {
            lease = acquire(&self.pool, HostKey::random(), build.subscription(), LEASE).await.unwrap();
            lease.is_some()
        })
        .await;
        lease.unwrap()
    }

    /// Commits rows with a step, as a worker does.
    pub(crate) async fn commit(
        &self,
        lease: Lease,
        tables: &TableSet,
        step: Step,
        writes: WriteSet,
    ) -> Result<(), AdvanceError> {
        let mut transaction = crate::postgres::begin(&self.pool).await?;
        let changed = if writes.is_empty() { Rows::Kept } else { Rows::Changed };
        let moved = advance(&mut transaction, lease, &step, &Handled::default(), changed).await?;
        tables.apply(&mut transaction, &writes).await?;
        let following = Following::default();
        following.found(moved.is_followed);
        if let Some(note) = following.note(&writes) {
            note.write(&mut transaction, lease.subscription.into()).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The same by a worker that notes nothing.
    pub(crate) async fn commit_without_note(&self, lease: Lease, tables: &TableSet, step: Step, writes: WriteSet) {
        let mut transaction = crate::postgres::begin(&self.pool).await.unwrap();
        advance(&mut transaction, lease, &step, &Handled::default(), Rows::Changed).await.unwrap();
        tables.apply(&mut transaction, &writes).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Sets a barrier at a position for all builds, as another host does. With no duration it has expired at once.
    pub(crate) async fn set_barrier(&self, at: u64, duration: Duration) {
        let mut transaction = crate::postgres::begin(&self.pool).await.unwrap();
        set_barriers(&mut transaction, &self.barrier(at).await, duration).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// A barrier of all builds at a position.
    pub(crate) async fn barrier(&self, at: u64) -> Barrier {
        let builds = of_projection(&self.pool, &self.name).await.unwrap().unwrap();
        Barrier { subscriptions: builds.iter().map(|build| build.id.subscription()).collect(), at: Position(at) }
    }

    /// Changes the state of a build, to any that the schema accepts.
    pub(crate) async fn set(&self, build: BuildId, change: impl FnOnce(&mut Kept)) {
        let mut connection = self.pool.acquire().await.unwrap();
        let mut kept = get(&mut *connection, &[build]).await.unwrap().pop().unwrap().state.kept().unwrap();
        change(&mut kept);
        super::store::set_state(&mut connection, build, State::Kept(kept), &Marks::default()).await.unwrap();
    }

    /// Makes a build live.
    pub(crate) async fn live(&self, build: BuildId) {
        self.set(build, |kept| kept.stage = Stage::Live).await;
    }

    /// Turns queries to a build that is live.
    pub(crate) async fn activate(&self, build: BuildId, tables: &TableSet) {
        let swapped =
            swap(&self.pool, &self.name, build, tables, (WantedBy::Operator, "the test activates it"), Duration::ZERO)
                .await
                .unwrap();
        assert_eq!(swapped, Swapped::Done);
    }

    /// Retires a build whose tables are not dropped yet.
    pub(crate) async fn retire(&self, build: BuildId) {
        let mut connection = self.pool.acquire().await.unwrap();
        super::store::set_state(&mut connection, build, State::Retired, &Marks::default()).await.unwrap();
    }

    pub(crate) async fn checkpoint(&self, build: BuildId) -> i64 {
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1")
            .bind(build.0)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

fn declaration(columns: &[(&str, ColumnType)]) -> TableDeclaration {
    let columns = std::iter::once(&("id", ColumnType::I64)).chain(columns);
    samples::declaration("sums", columns.map(|&(name, column_type)| samples::column(name, column_type)), &["id"])
}

/// One row of whole numbers.
pub(crate) fn writes(tables: &TableSet, cells: &[i64]) -> WriteSet {
    rows(tables, [cells.iter().map(|cell| Value::I64(*cell)).collect()])
}

pub(crate) fn rows(tables: &TableSet, rows: impl IntoIterator<Item = Row>) -> WriteSet {
    let declared: Vec<Arc<Table>> = tables.tables().cloned().collect();
    let mut writes = WriteSet::new(&declared);
    for row in rows {
        writes.put(0, row);
    }
    writes
}

pub(crate) fn step(from: u64, to: u64) -> Step {
    Step { from: Position(from), to: Position(to), events_per_second: 0.0, batches: Batches::default() }
}
