//! The end of builds, and of projections.

use std::time::Duration;

use sqlx::{Executor, PgConnection};

use super::{
    BuildId, Projector, Shared,
    build::Status,
    history::Change,
    operation::{OperateError, Operation},
    store,
    swap::view_of,
};
use crate::{read_model::Identifier, runtime::Descriptor};

impl Projector {
    /// Drops a build's tables. Its number and its history stay.
    ///
    /// # Errors
    /// There is no such build, queries read it, or Postgres fails.
    pub async fn retire(&self, name: &Identifier, build: BuildId) -> Result<(), OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build(build).await?;
        if found.is_active {
            return Err(
                operation.wrong_state(&found, "queries read it; activate another one first, or delete the projection")
            );
        }
        if found.status != Status::Retired {
            operation.retire(build, "an operator retired it").await?;
        }
        operation.commit().await
    }

    /// Deletes a projection: its builds, their tables, and the views. Events, modules and the history stay; uploading a module
    /// again begins from the first event.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn delete(&self, name: &Identifier) -> Result<(), OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        operation.take_over_all().await?;
        drop_views(operation.connection(), name).await?;
        for found in operation.builds().await? {
            drop_schema(operation.connection(), found.build).await?;
        }
        sqlx::query("UPDATE gnomon.projections SET active_build = NULL WHERE name = $1")
            .bind(name.as_str())
            .execute(operation.connection())
            .await?;
        for statement in
            ["DELETE FROM gnomon.builds WHERE projection = $1", "DELETE FROM gnomon.projections WHERE name = $1"]
        {
            sqlx::query(statement).bind(name.as_str()).execute(operation.connection()).await?;
        }
        operation.note(None, Change::Deleted, "an operator deleted the projection").await?;
        operation.commit().await?;
        self.shared.active.forget(name);
        Ok(())
    }
}

impl Shared {
    /// Retires builds that were replaced longer ago than they are kept, and what was made to verify others and forgotten.
    pub(super) async fn retire_outdated(&self, keep: Duration) -> Result<(), OperateError> {
        for (projection, build, for_queries) in store::outdated(&self.pool, keep).await? {
            let mut operation = Operation::begin(self, &projection).await?;
            let found = operation.build(build).await?;
            // It may have been activated again in the meantime.
            if !found.is_active && found.status != Status::Retired {
                let cause = if for_queries {
                    "it was kept for its time after it was replaced"
                } else {
                    "it was made to verify"
                };
                operation.retire(build, cause).await?;
            }
            operation.commit().await?;
        }
        Ok(())
    }
}

impl Operation<'_> {
    /// Drops a build's tables and marks it retired.
    pub(super) async fn retire(&mut self, build: BuildId, cause: &str) -> Result<(), OperateError> {
        self.take_over(&[build]).await?;
        drop_schema(self.connection(), build).await?;
        sqlx::query("DELETE FROM gnomon.dead_letters WHERE build = $1")
            .bind(build.0)
            .execute(self.connection())
            .await?;
        sqlx::query(
            "UPDATE gnomon.builds SET status = 'retired', activate_when_live = false, retrying = NULL, error = NULL
             WHERE build = $1",
        )
        .bind(build.0)
        .execute(self.connection())
        .await?;
        self.note(Some(build), Change::Retired, cause).await
    }
}

async fn drop_schema(connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
    // Whoever reads the tables for long is not waited for with the projection locked; it is tried again.
    connection.execute("SET LOCAL lock_timeout = '2s'").await?;
    // Safe: made of a number. Views of SQL users on the build's own tables go with them.
    let statement = format!("DROP SCHEMA IF EXISTS {} CASCADE", build.schema().quoted());
    connection.execute(statement.as_str()).await?;
    Ok(())
}

/// Drops the views of a projection's active build.
async fn drop_views(connection: &mut PgConnection, projection: &Identifier) -> Result<(), sqlx::Error> {
    let Some(Descriptor::Projection(descriptor)) = store::active_descriptor(connection, projection).await? else {
        return Ok(());
    };
    for table in descriptor.tables {
        // Safe: a checked identifier.
        let statement = format!("DROP VIEW IF EXISTS read_models.{}", view_of(projection, &table.name)?);
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}
