//! Builds on a real Postgres, without modules; and what tests of other rooms create builds with.

mod align;
mod lease;
mod sequences;
mod store;
mod swap;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, types::Json};

use super::{state::*, *};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{migrate, test_database::TestDatabase},
    read_model::{ColumnDeclaration, ColumnType, Identifier, Row, Table, TableDeclaration, TableSet, Value, WriteSet},
    runtime::{Descriptor, ProjectionDescriptor},
    subscriptions::{AdvanceError, Batches, HostKey, Lease, Step, acquire, advance},
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
        sqlx::raw_sql("INSERT INTO gnomon.modules (name, kind) VALUES ('totals', 'projection'); INSERT INTO gnomon.projections (name) VALUES ('totals')")
            .execute(&pool)
            .await
            .unwrap();
        Self { pool, name, database }
    }

    /// A build of a version whose table has these columns beside its key.
    pub(crate) async fn build(&self, version: u32, columns: &[&str]) -> (BuildId, TableSet) {
        let declaration = declaration(columns);
        let descriptor = Descriptor::Projection(ProjectionDescriptor {
            tables: vec![declaration.clone()],
            all_types: true,
            event_types: vec![],
            categories: vec![],
            partitioned_by: None,
        });
        sqlx::query(
            "INSERT INTO gnomon.module_versions (module, version, digest, descriptor, component)
             VALUES ('totals', $1, $1::text, $2, '') ON CONFLICT DO NOTHING",
        )
        .bind(i32::try_from(version).unwrap())
        .bind(Json(descriptor))
        .execute(&self.pool)
        .await
        .unwrap();
        let mut connection = self.pool.acquire().await.unwrap();
        let version = ModuleVersion(version);
        let purpose = NewBuildPurpose::Queries(Activation::Auto);
        let new = NewBuild { version, upcasters: Vec::new(), purpose };
        let build = super::store::insert(&mut connection, &self.name, &new).await.unwrap();
        let tables = TableSet::new(build.schema(), &[Arc::new(Table::check(&declaration).unwrap())]);
        tables.create(&mut connection).await.unwrap();
        (build, tables)
    }

    pub(crate) async fn lease(&self, build: BuildId) -> Lease {
        acquire(&self.pool, HostKey::random(), build.subscription(), LEASE).await.unwrap().expect("the lease is free")
    }

    /// Commits rows with a step, as a worker does.
    async fn commit(&self, lease: Lease, tables: &TableSet, step: Step, writes: WriteSet) -> Result<(), AdvanceError> {
        let mut transaction = self.pool.begin().await?;
        advance(&mut transaction, lease, &step).await?;
        tables.apply(&mut transaction, &writes).await?;
        Ok(transaction.commit().await?)
    }

    /// Changes the state of a build directly in Postgres.
    pub(crate) async fn set(&self, build: BuildId, change: impl FnOnce(&mut Kept)) {
        let mut connection = self.pool.acquire().await.unwrap();
        let mut kept = get(&mut *connection, &[build]).await.unwrap().pop().unwrap().state.kept().unwrap();
        change(&mut kept);
        super::store::set_state(&mut connection, build, State::Kept(kept)).await.unwrap();
    }

    /// Makes a build live.
    pub(crate) async fn live(&self, build: BuildId) {
        self.set(build, |kept| kept.stage = Stage::Live).await;
    }

    pub(crate) async fn checkpoint(&self, build: BuildId) -> i64 {
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1")
            .bind(build.0)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

fn declaration(columns: &[&str]) -> TableDeclaration {
    let column =
        |name: &&str| ColumnDeclaration { name: (*name).to_owned(), column_type: ColumnType::I64, nullable: false };
    TableDeclaration {
        name: "sums".to_owned(),
        columns: std::iter::once(&"id").chain(columns).map(column).collect(),
        key: vec!["id".to_owned()],
        indexes: vec![],
    }
}

/// One row.
pub(crate) fn writes(tables: &TableSet, cells: &[i64]) -> WriteSet {
    let declared: Vec<Arc<Table>> = tables.tables().cloned().collect();
    let mut writes = WriteSet::new(&declared);
    let row: Row = cells.iter().map(|cell| Value::I64(*cell)).collect();
    writes.put(0, row);
    writes
}

pub(crate) fn step(from: u64, to: u64) -> Step {
    Step { from: Position(from), to: Position(to), events_per_second: 0.0, batches: Batches::default() }
}
