mod cases;
mod naive;
mod properties;
mod strategies;

use std::sync::Arc;

use sqlx::{Connection, Executor, PgConnection};

use super::*;
use crate::{
    postgres::test_database::TestDatabase,
    read_model::{ColumnType, ContentHashes, Identifier, Row, Value, WriteSet, content_hash, samples},
};

/// A table and its rows.
#[derive(Clone, Debug)]
struct Filled {
    table: Arc<Table>,
    rows: Vec<Row>,
}

/// A database in which tests fill schemas and compare them.
struct Sides {
    connection: PgConnection,
    _database: TestDatabase,
}

impl Sides {
    async fn create() -> Self {
        let database = TestDatabase::create().await;
        let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
        connection.execute(samples::CREATE_COLLATION).await.unwrap();
        Self { connection, _database: database }
    }

    /// Creates a schema with these tables.
    async fn fill(&mut self, schema: &str, tables: &[Filled]) -> TableSet {
        let declared: Vec<Arc<Table>> = tables.iter().map(|filled| Arc::clone(&filled.table)).collect();
        let set = TableSet::new(Identifier::new(schema).unwrap(), &declared);
        set.create(&mut self.connection).await.unwrap();
        let mut writes = WriteSet::new(&declared);
        for (index, filled) in tables.iter().enumerate() {
            for row in &filled.rows {
                writes.put(index, row.clone());
            }
        }
        set.apply(&mut self.connection, &writes).await.unwrap();
        set
    }

    async fn compare(&mut self, left: &TableSet, right: &TableSet, samples: usize) -> Vec<TableComparison> {
        let mut snapshot = self.snapshot().await;
        compare(&mut snapshot, left, right, samples).await.unwrap()
    }

    async fn hash(&mut self, tables: &TableSet) -> ContentHashes {
        let mut snapshot = self.snapshot().await;
        content_hash(&mut snapshot, tables).await.unwrap()
    }

    async fn snapshot(&mut self) -> sqlx::Transaction<'_, sqlx::Postgres> {
        self.connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.unwrap()
    }
}
