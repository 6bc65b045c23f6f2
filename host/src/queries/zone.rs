//! The time zone of an answer.

use sqlx::PgConnection;

use super::Queries;
use crate::postgres::{has_sqlstate, sqlstate::INVALID_PARAMETER_VALUE};

/// Local to a transaction: a session keeps the zone that it has.
const SET: &str = "SELECT set_config('TimeZone', $1, true)";

impl Queries {
    /// Whether Postgres knows a time zone: by its name, as an offset such as `-04:30`, or by a rule of POSIX.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn knows_zone(&self, zone: &str) -> Result<bool, sqlx::Error> {
        if zone.is_empty() {
            return Ok(false);
        }
        // The statement is a transaction of its own, with which the zone ends.
        match sqlx::query(SET).bind(zone).execute(&self.pool).await {
            Ok(_) => Ok(true),
            Err(error) if has_sqlstate(&error, INVALID_PARAMETER_VALUE) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Sets the time zone of the transaction that the connection is in.
pub(super) async fn set_zone(connection: &mut PgConnection, zone: &str) -> Result<(), sqlx::Error> {
    sqlx::query(SET).bind(zone).execute(connection).await.map(drop)
}
