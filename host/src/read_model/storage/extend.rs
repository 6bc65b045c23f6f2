//! Tables that keep their rows while the module that fills them is replaced by another version.

use std::sync::Arc;

use sqlx::{Executor as _, PgConnection};

use super::{
    schema::{CreateError, column_definition},
    tables::TableSet,
};
use crate::{
    postgres::own_by_hosts,
    read_model::{
        comment::comment,
        declaration::{ColumnDeclaration, DeclarationError, IndexDeclaration, TableDeclaration},
        identifier::Identifier,
        table::Table,
        value::ColumnType,
    },
};

/// Why tables that hold rows cannot become what a module declares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotExtend {
    /// The rows that are there have nothing for a column.
    #[error(
        "column `{column}` of table `{table}` is new, so it has to be nullable: the rows that are there have nothing in it"
    )]
    NotNullable {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column is declared as another one than it is.
    #[error(
        "column `{column}` of table `{table}` is {stored}, and is declared as {declared}; give the new one another name"
    )]
    OtherColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What it is.
        stored: String,
        /// What it is declared as.
        declared: String,
    },
    /// A column that is not nullable is not declared, so a row could not be inserted.
    #[error(
        "column `{column}` of table `{table}` is not declared any more, and is not nullable; declare it, or give the table another name"
    )]
    Missing {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The key of a table is declared as another one than it is.
    #[error("the key of table `{table}` is ({stored}), and is declared as ({declared}); give the table another name")]
    OtherKey {
        /// The table.
        table: String,
        /// What it is.
        stored: String,
        /// What it is declared as.
        declared: String,
    },
    /// Together with what is there, a table is not valid.
    #[error("table `{table}`, with the columns and indexes that it has already: {error}")]
    Invalid {
        /// The table.
        table: String,
        /// What is wrong.
        error: DeclarationError,
    },
}

/// What tables lack to hold what a module declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// All tables as they are afterwards, with what earlier versions have declared and this one has not. Columns are in the order in which
    /// Postgres has them.
    pub tables: Vec<TableDeclaration>,
    new_tables: Vec<TableDeclaration>,
    new_columns: Vec<(TableDeclaration, ColumnDeclaration)>,
    new_indexes: Vec<(TableDeclaration, IndexDeclaration)>,
}

impl Extension {
    /// Compares what is stored with what a module declares.
    ///
    /// # Errors
    /// Everything that cannot become what is declared without its rows being lost.
    pub fn of(stored: &[TableDeclaration], declared: &[TableDeclaration]) -> Result<Self, Vec<CannotExtend>> {
        let mut extension =
            Self { tables: stored.to_vec(), new_tables: vec![], new_columns: vec![], new_indexes: vec![] };
        let mut errors = Vec::new();
        for wanted in declared {
            match extension.tables.iter_mut().find(|table| table.name == wanted.name) {
                None => {
                    extension.tables.push(wanted.clone());
                    extension.new_tables.push(wanted.clone());
                }
                Some(table) => {
                    let (columns, indexes) = extend(table, wanted, &mut errors);
                    extension.new_columns.extend(columns.into_iter().map(|column| (table.clone(), column)));
                    extension.new_indexes.extend(indexes.into_iter().map(|index| (table.clone(), index)));
                }
            }
        }
        for table in &extension.tables {
            if let Err(wrong) = Table::check(table) {
                let invalid = |error| CannotExtend::Invalid { table: table.name.clone(), error };
                errors.extend(wrong.into_iter().map(invalid));
            }
        }
        if errors.is_empty() { Ok(extension) } else { Err(errors) }
    }

    /// Drops tables that were declared, and their schema.
    ///
    /// # Errors
    /// Postgres fails, or an object outside of the schema depends on one.
    pub async fn drop_all(
        connection: &mut PgConnection,
        schema: Identifier,
        stored: &[TableDeclaration],
    ) -> Result<(), sqlx::Error> {
        TableSet::new(schema, &checked(stored)).drop(connection).await
    }

    /// Adds what is missing to the tables in a schema, which need not be there.
    ///
    /// # Errors
    /// Postgres has no case-insensitive collation and a column needs it, or Postgres fails.
    pub async fn add(&self, connection: &mut PgConnection, schema: &Identifier) -> Result<(), CreateError> {
        own_by_hosts(&mut *connection).await?;
        connection.execute(format!("CREATE SCHEMA IF NOT EXISTS {}", schema.quoted()).as_str()).await?;
        let new = TableSet::new(schema.clone(), &checked(&self.new_tables));
        new.create_tables(connection).await?;
        new.add_indexes(connection).await?;
        let all = TableSet::new(schema.clone(), &checked(&self.tables));
        for (table, column) in &self.new_columns {
            let Some(table) = all.table(&table.name) else { continue };
            let Some(column) = table.columns().iter().find(|other| other.name.as_str() == column.name) else {
                continue;
            };
            let (name, definition) = (all.stored(table).name.clone(), column_definition(column, false));
            let statement = format!("ALTER TABLE {name} ADD COLUMN {} {definition}", column.name.quoted());
            let added = connection.execute(statement.as_str()).await;
            added.map_err(|error| CreateError::of(table, error))?;
            comment(connection, "TABLE", &name, table.description(), table).await?;
        }
        for (table, index) in &self.new_indexes {
            let Some(table) = all.table(&table.name) else { continue };
            let Some(index) = table.indexes().iter().find(|other| other.name.as_str() == index.name) else { continue };
            all.add_index(connection, table, index).await?;
        }
        Ok(())
    }
}

/// The tables of declarations that were checked.
fn checked(declarations: &[TableDeclaration]) -> Vec<Arc<Table>> {
    declarations.iter().filter_map(|declaration| Table::check(declaration).ok()).map(Arc::new).collect()
}

/// Adds to a table what is declared, and returns what was added.
fn extend(
    table: &mut TableDeclaration,
    wanted: &TableDeclaration,
    errors: &mut Vec<CannotExtend>,
) -> (Vec<ColumnDeclaration>, Vec<IndexDeclaration>) {
    let name = &wanted.name;
    if table.key != wanted.key {
        let (stored, declared) = (table.key.join(", "), wanted.key.join(", "));
        errors.push(CannotExtend::OtherKey { table: name.clone(), stored, declared });
    }
    for column in &table.columns {
        let declared = wanted.columns.iter().find(|other| other.name == column.name);
        let (table, column_name) = (name.clone(), column.name.clone());
        match declared {
            None if !column.nullable => errors.push(CannotExtend::Missing { table, column: column_name }),
            Some(declared) if kind(declared) != kind(column) => {
                let (stored, declared) = (said(column), said(declared));
                errors.push(CannotExtend::OtherColumn { table, column: column_name, stored, declared });
            }
            _ => {}
        }
    }
    let is_new = |column: &&ColumnDeclaration| table.columns.iter().all(|other| other.name != column.name);
    let columns: Vec<ColumnDeclaration> = wanted.columns.iter().filter(is_new).cloned().collect();
    for column in columns.iter().filter(|column| !column.nullable) {
        errors.push(CannotExtend::NotNullable { table: name.clone(), column: column.name.clone() });
    }
    let mut indexes: Vec<IndexDeclaration> = Vec::new();
    for index in &wanted.indexes {
        let taken = |name: &str| table.indexes.iter().chain(&indexes).any(|other| other.name == name);
        if table.indexes.iter().any(|other| other.kind == index.kind) {
            continue;
        }
        // Another index may have had its name. Postgres gives names of its own, so this one is nobody's concern.
        let names = std::iter::once(index.name.clone()).chain((2..).map(|number| format!("{}_{number}", index.name)));
        let name = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
        indexes.push(IndexDeclaration { name, kind: index.kind.clone() });
    }
    table.columns.extend(columns.iter().cloned());
    table.indexes.extend(indexes.iter().cloned());
    table.description.clone_from(&wanted.description);
    (columns, indexes)
}

fn kind(column: &ColumnDeclaration) -> (ColumnType, bool) {
    (column.column_type, column.nullable)
}

fn said(column: &ColumnDeclaration) -> String {
    format!("{}{}", column.column_type, if column.nullable { ", nullable" } else { "" })
}

#[cfg(test)]
#[path = "extend_tests.rs"]
mod tests;
