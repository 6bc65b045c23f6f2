//! A database for one test.

use std::cell::RefCell;

use sqlx::{Connection, Executor, PgConnection, Row, postgres::PgRow};
use tokio::runtime::Runtime;

use crate::{
    postgres::test_database::TestDatabase,
    read_model::{
        ColumnType, RecordSet, Row as Cells, Table, Value,
        query::{Param, Query, QueryError, Rendering, Shape, Sql, Total},
        samples::{CREATE_COLLATION, text},
        value::sql_type,
    },
};

/// The schema that the tests' tables are in. Its name needs quotes.
pub(super) const SCHEMA: &str = "build \"1\"";

/// A database for one test.
pub(super) struct Database {
    runtime: Runtime,
    connection: RefCell<PgConnection>,
    _database: TestDatabase,
}

/// The answer that the statement of a query makes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) body: String,
    pub(super) page_rows: i64,
    pub(super) total_rows: Option<i64>,
}

impl Database {
    /// Creates the database.
    pub(super) fn create() -> Self {
        let runtime = Runtime::new().unwrap();
        let (connection, database) = runtime.block_on(async {
            let database = TestDatabase::create().await;
            let options = database.connect_options().options([("TimeZone", "UTC")]);
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            connection.execute(format!("CREATE SCHEMA {}", quoted(SCHEMA)).as_str()).await.unwrap();
            connection.execute(CREATE_COLLATION).await.unwrap();
            (connection, database)
        });
        Self { runtime, connection: RefCell::new(connection), _database: database }
    }

    /// Runs statements.
    pub(super) fn execute(&self, sql: impl Into<String>) {
        let connection = &mut *self.connection.borrow_mut();
        self.runtime.block_on(connection.execute(sql.into().as_str())).unwrap();
    }

    /// Does something on its connection.
    pub(super) fn run<T>(&self, run: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        self.runtime.block_on(run(&mut self.connection.borrow_mut()))
    }

    /// Runs one statement with parameters and returns its rows.
    pub(super) fn fetch(&self, sql: &Sql) -> Result<Vec<PgRow>, QueryError> {
        self.fetch_from(None, sql)
    }

    /// The same of a statement whose first parameters are those of rows.
    fn fetch_from(&self, rows: Option<&RecordSet>, sql: &Sql) -> Result<Vec<PgRow>, QueryError> {
        let mut query = sqlx::query(&sql.text).persistent(sql.can_be_prepared);
        if let Some(rows) = rows {
            query = rows.bind(query);
        }
        for param in &sql.params {
            query = query.bind(param);
        }
        let connection = &mut *self.connection.borrow_mut();
        self.runtime.block_on(query.fetch_all(connection)).map_err(|error| {
            let error = error.into_database_error().expect("an answer or an error of Postgres");
            let error = error.downcast::<sqlx::postgres::PgDatabaseError>();
            QueryError::from_postgres(error.code(), error.message(), error.detail(), error.hint())
        })
    }

    /// Creates a table as its declaration says, with text compared byte by byte.
    pub(super) fn create_table(&self, table: &Table) {
        let columns = table.columns().iter().map(|column| {
            let collation = match column.column_type {
                ColumnType::Text | ColumnType::TextArray => " COLLATE \"C\"",
                ColumnType::CiText => " COLLATE gnomon.case_insensitive",
                _ => "",
            };
            format!("{} {}{collation}", column.name.quoted(), sql_type(column.column_type))
        });
        let key: Vec<_> = table.key_columns().map(|column| column.name.quoted()).collect();
        let columns = columns.collect::<Vec<_>>().join(", ");
        let name = qualified(table);
        self.execute(format!("CREATE TABLE {name} ({columns}, PRIMARY KEY ({}))", key.join(", ")));
    }

    /// Replaces the rows of a table.
    pub(super) fn fill(&self, table: &Table, rows: &[Cells]) {
        self.execute(format!("DELETE FROM {}", qualified(table)));
        if rows.is_empty() {
            return;
        }
        let mut params = Vec::new();
        let tuples = rows.iter().rev().map(|row| {
            let cells = row.iter().zip(table.columns()).map(|(cell, column)| match cell {
                Value::Null => "NULL".to_owned(),
                cell => {
                    params.push(Param::Text(text(cell)));
                    format!("${}::text::{}", params.len(), sql_type(column.column_type))
                }
            });
            format!("({})", cells.collect::<Vec<_>>().join(", "))
        });
        let text = format!("INSERT INTO {} VALUES {}", qualified(table), tuples.collect::<Vec<_>>().join(", "));
        self.fetch(&statement(text, params)).unwrap();
    }

    /// Parses, renders and runs a query.
    pub(super) fn answer(&self, table: &Table, query: &str, rendering: &Rendering<'_>) -> Result<Answer, QueryError> {
        self.answer_to(&Query::parse(query, table)?, rendering)
    }

    /// Renders and runs a query.
    pub(super) fn answer_to(&self, query: &Query<'_>, rendering: &Rendering<'_>) -> Result<Answer, QueryError> {
        self.answer_from(None, query, rendering)
    }

    /// The same from rows that are in no table, or from those of a table.
    pub(super) fn answer_from(
        &self,
        rows: Option<&RecordSet>,
        query: &Query<'_>,
        rendering: &Rendering<'_>,
    ) -> Result<Answer, QueryError> {
        let rows = self.fetch_from(rows, &query.to_sql(rendering))?;
        let total_rows = rows.first().expect("a row at least").get("total_rows");
        let (mut body, mut page_rows) = (String::new(), 0);
        for row in &rows {
            if let Some(bytes) = row.get::<Option<i32>, _>("bytes") {
                let shown: String = row.get("shown");
                assert_eq!(shown.len(), usize::try_from(bytes).unwrap());
                body = body + rendering.shape.before(page_rows) + &shown;
                page_rows += 1;
            }
        }
        body += rendering.shape.after(page_rows);
        Ok(Answer { body, page_rows: page_rows.cast_signed(), total_rows })
    }
}

/// A list of all rows.
pub(super) fn list() -> Rendering<'static> {
    Rendering {
        schema: SCHEMA,
        rows: None,
        shape: Shape::List,
        total: Total::Uncounted,
        max_rows: None,
        max_row_bytes: None,
        next_values: false,
        first_placeholder: 1,
    }
}

/// The table's name with its schema.
pub(super) fn qualified(table: &Table) -> String {
    format!("{}.{}", quoted(SCHEMA), table.name().quoted())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A statement as it is written.
pub(super) fn statement(text: String, params: Vec<Param>) -> Sql {
    Sql { text, params, names: vec![], can_be_prepared: false, has_next_values: false, depends_on_clock: false }
}
