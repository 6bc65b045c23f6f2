//! Hashes the contents of tables.

use std::fmt;

use futures_util::TryStreamExt as _;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{
    compare::{rows, session},
    identifier::Identifier,
    storage::TableSet,
    table::{Column, Table},
    value::ColumnType,
};

/// SHA-256 over tables: their names, the names and types of their columns, their keys, and their rows in the order of the key.
/// Tables with equal declarations have equal hashes exactly if they hold equal rows, on any server and in whatever order the rows
/// were written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

/// The hash of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHash {
    /// The table's name.
    pub table: Identifier,
    /// Its rows.
    pub rows: u64,
    /// Its hash.
    pub hash: ContentHash,
}

/// The hashes of tables, and a hash over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentHashes {
    /// The hash over all tables.
    pub hash: ContentHash,
    /// The hash of each table, ordered by name.
    pub tables: Vec<TableHash>,
}

/// The prefix of everything that is hashed; another encoding gets another number.
const ENCODING: &[u8] = b"gnomon content 1\n";

/// Hashes tables.
///
/// `connection` is in a transaction that reads one snapshot (REPEATABLE READ); settings of that transaction are changed. The
/// rows are streamed, so memory does not depend on how many there are.
///
/// # Errors
/// Postgres fails, or a table is gone.
pub async fn content_hash(connection: &mut PgConnection, tables: &TableSet) -> Result<ContentHashes, sqlx::Error> {
    session::prepare(connection).await?;
    let mut by_name: Vec<&Table> = tables.tables().map(AsRef::as_ref).collect();
    by_name.sort_unstable_by(|one, other| one.name().cmp(other.name()));
    let mut all = Sha256::new_with_prefix(ENCODING);
    let mut hashes = Vec::with_capacity(by_name.len());
    for table in by_name {
        let hash = hash_table(connection, tables.schema(), table).await?;
        all.update(hash.hash.0);
        hashes.push(hash);
    }
    Ok(ContentHashes { hash: ContentHash(all.finalize().into()), tables: hashes })
}

async fn hash_table(
    connection: &mut PgConnection,
    schema: &Identifier,
    table: &Table,
) -> Result<TableHash, sqlx::Error> {
    // Counted first: this locks the table against being dropped for the rest of the transaction, and a COPY that fails leaves the
    // connection unusable.
    let count = rows(connection, schema, table).await?;
    let mut hasher = Sha256::new_with_prefix(ENCODING);
    hash_shape(&mut hasher, table);
    // The rows are encoded in the binary format: cells have their lengths, a null differs from every value, and no setting changes
    // it. The hash does not depend on how rows are split into messages.
    let statement = copy_statement(schema, table);
    let mut content = connection.copy_out_raw(&statement).await?;
    while let Some(bytes) = content.try_next().await? {
        hasher.update(&bytes);
    }
    Ok(TableHash { table: table.name().clone(), rows: count, hash: ContentHash(hasher.finalize().into()) })
}

fn hash_shape(hasher: &mut Sha256, table: &Table) {
    // Names and types contain no line breaks.
    hasher.update(format!("{}\n", table.name()));
    for column in table.columns() {
        hasher.update(format!("{} {}\n", column.name, column.column_type));
    }
    let key: Vec<&str> = table.key_columns().map(|column| column.name.as_str()).collect();
    hasher.update(format!("key {}\n\n", key.join(" ")));
}

fn copy_statement(schema: &Identifier, table: &Table) -> String {
    let cells: Vec<String> = table.columns().iter().map(cell).collect();
    let key: Vec<String> = table.key_columns().map(|column| column.name.quoted()).collect();
    format!(
        "COPY (SELECT {} FROM {}.{} ORDER BY {}) TO STDOUT (FORMAT binary)",
        cells.join(", "),
        schema.quoted(),
        table.name().quoted(),
        key.join(", ")
    )
}

/// An expression for a cell, so that equal values have equal bytes.
fn cell(column: &Column) -> String {
    let name = column.name.quoted();
    match column.column_type {
        // Postgres keeps as many zeros after the decimal point as were written.
        ColumnType::Decimal => format!("trim_scale({name})::text"),
        // −0 + 0 is 0.
        ColumnType::F64 => format!("{name} + 0::double precision"),
        ColumnType::Json => format!("{name}::text"),
        _ => name,
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
