//! The indexes by which a module searches while its build is filled.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{Executor as _, PgPool};

use crate::{
    postgres::begin,
    read_model::{Identifier, Index, Table, TableSet},
};

/// How long the first search by an index waits for a lock on the table. A commit of the same build may write many rows meanwhile; it ends
/// without the thread that waits here, and this transaction has no other lock, so no two wait for each other.
const LOCK_TIMEOUT: &str = "30s";

/// The indexes that searches of one run have made. Tables are filled without indexes, since that is faster, and would be read from their
/// beginning to their end by each search. So the first search by an index makes that one, mostly while the table is empty.
///
/// What is known here is forgotten with the run: the next one asks Postgres, which has an index as a whole or not at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct MadeIndexes(Arc<Mutex<HashSet<(Identifier, Identifier)>>>);

impl MadeIndexes {
    /// Makes an index, unless it is there.
    ///
    /// # Errors
    /// Postgres fails, or the table is locked for too long.
    pub(crate) async fn make(
        &self,
        pool: &PgPool,
        tables: &TableSet,
        table: &Table,
        index: &Index,
    ) -> Result<(), sqlx::Error> {
        let name = (table.name().clone(), index.name.clone());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            return Ok(());
        }
        let mut transaction = begin(pool).await?;
        transaction.execute(format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'").as_str()).await?;
        tables.add_index(&mut transaction, table, index).await?;
        transaction.commit().await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        Ok(())
    }
}
