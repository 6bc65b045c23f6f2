//! Reading rows for modules.

use std::fmt::Write as _;

use sqlx::{PgConnection, Row as _};

use super::{
    TableSet, array_parameter,
    cells::{bind_cell, bind_column, row_from_postgres},
    join, selected,
};
use crate::read_model::{
    table::{Index, Table},
    value::{ColumnType, Key, Row, Value},
};

impl TableSet {
    /// The rows of a table that have these keys, in the order of the keys; none where there is no such row.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn get_many(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Row>>, sqlx::Error> {
        let mut statement = sqlx::query(&self.stored(table).get_many);
        for (place, column) in table.key_columns().enumerate() {
            statement = bind_column(statement, column.column_type, keys.iter().map(|key| &key[place]));
        }
        let mut rows = vec![None; keys.len()];
        for found in statement.fetch_all(connection).await? {
            let place = usize::try_from(found.try_get::<i64, _>(0)?).unwrap_or_default();
            let row = row_from_postgres(&found, 1, table.columns().iter().map(|column| column.column_type))?;
            // Ordinality counts from 1.
            rows[place - 1] = Some(row);
        }
        Ok(rows)
    }

    /// At most `limit` rows of a table whose first columns of an index equal these values, in any order.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn find(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        index: &Index,
        values: &[Value],
        limit: usize,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let mut text = format!("SELECT {} FROM {} WHERE true", select_list(table, ""), self.stored(table).name);
        let mut parameters = Vec::with_capacity(values.len());
        for (&place, value) in index.columns.iter().zip(values) {
            let column = &table.columns()[place];
            let name = column.name.quoted();
            let _ = if *value == Value::Null {
                write!(text, " AND {name} IS NULL")
            } else {
                parameters.push(value);
                write!(text, " AND {name} = {}", parameter(parameters.len(), column.column_type))
            };
        }
        let _ = write!(text, " LIMIT {limit}");
        let mut statement = sqlx::query(&text);
        for value in parameters {
            statement = bind_cell(statement, value);
        }
        let types = || table.columns().iter().map(|column| column.column_type);
        statement.fetch_all(connection).await?.iter().map(|row| row_from_postgres(row, 0, types())).collect()
    }
}

pub(super) fn get_many(name: &str, table: &Table) -> String {
    let arrays = table.key_columns().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let wanted = join((0..table.key().len()).map(|place| format!("k{place}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(place, column)| format!("t.{} = wanted.k{place}", column.name.quoted()));
    format!(
        "SELECT wanted.place, {} FROM unnest({}) WITH ORDINALITY AS wanted ({wanted}, place) JOIN {name} AS t ON {}",
        select_list(table, "t."),
        join(arrays, ", "),
        join(same, " AND ")
    )
}

fn select_list(table: &Table, prefix: &str) -> String {
    join(
        table.columns().iter().map(|column| selected(&format!("{prefix}{}", column.name.quoted()), column.column_type)),
        ", ",
    )
}

fn parameter(number: usize, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal => format!("${number}::text::numeric"),
        _ => format!("${number}::{}", column_type.sql()),
    }
}
