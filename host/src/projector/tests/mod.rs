//! What the projector does in Postgres; without modules, but for `compare`.

mod commit;
mod compare;
mod component;
mod fold;
mod host;
mod lease;
mod meet;
mod steps;
mod swap;

use sqlx::types::Json;

use super::*;
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{migrate, test_database::TestDatabase},
    projector::{
        build::BuildId,
        commit::{Batches, CommitError, Effect, Step, commit},
        lease::{HostKey, Lease, acquire},
        store::NewBuild,
    },
    read_model::{ColumnDeclaration, ColumnType, Identifier, Row, Table, TableDeclaration, TableSet, Value, WriteSet},
    runtime::{Descriptor, ProjectionDescriptor},
};

const LEASE: Duration = Duration::from_secs(60);

struct TestBuilds {
    pool: PgPool,
    name: Identifier,
    database: TestDatabase,
}

impl TestBuilds {
    async fn create() -> Self {
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
    async fn build(&self, version: u32, columns: &[&str]) -> (BuildId, TableSet) {
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
        let new = NewBuild::of(ModuleVersion(version), Activate::Auto, Vec::new());
        let build = store::insert_build(&mut connection, &self.name, &new).await.unwrap();
        let tables = TableSet::new(build.schema(), &[Arc::new(Table::check(&declaration).unwrap())]);
        tables.create(&mut connection).await.unwrap();
        (build, tables)
    }

    async fn lease(&self, build: BuildId) -> Lease {
        acquire(&self.pool, HostKey::random(), build, LEASE).await.unwrap().expect("nobody holds the build")
    }

    /// Commits rows.
    async fn commit(&self, lease: Lease, tables: &TableSet, step: Step, writes: WriteSet) -> Result<(), CommitError> {
        let effect = Effect { writes: &writes, taken_back: &[], set_aside: &[], retry: None };
        commit(&self.pool, lease, tables, &step, &effect).await
    }

    async fn checkpoint(&self, build: BuildId) -> i64 {
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.build_progress WHERE build = $1")
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
fn writes(tables: &TableSet, cells: &[i64]) -> WriteSet {
    let declared: Vec<Arc<Table>> = tables.tables().cloned().collect();
    let mut writes = WriteSet::new(&declared);
    let row: Row = cells.iter().map(|cell| Value::I64(*cell)).collect();
    writes.put(0, row);
    writes
}

fn step(from: u64, to: u64) -> Step {
    Step {
        from: Position(from),
        to: Position(to),
        events_per_second: 0.0,
        replayable: false,
        max_dead_letters: 2,
        batches: Batches::default(),
    }
}
