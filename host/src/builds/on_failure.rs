//! The failure policy of a projection, in Postgres.

use sqlx::{PgConnection, PgPool};

use crate::{read_model::Identifier, subscriptions::OnFailure};

/// What happens at an event that the module of a projection cannot handle.
pub(crate) async fn on_failure(pool: &PgPool, projection: &Identifier) -> Result<OnFailure, sqlx::Error> {
    let found = sqlx::query_scalar("SELECT on_failure FROM gnomon.projections WHERE name = $1")
        .bind(projection)
        .fetch_optional(pool)
        .await?;
    Ok(found.unwrap_or_default())
}

/// Sets what happens at events that a projection's module cannot handle.
pub(super) async fn set_on_failure(
    connection: &mut PgConnection,
    projection: &Identifier,
    on_failure: OnFailure,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.projections SET on_failure = $2 WHERE name = $1")
        .bind(projection)
        .bind(on_failure)
        .execute(connection)
        .await?;
    Ok(())
}
