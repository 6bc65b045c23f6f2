//! The time zone of an answer.

use sqlx::{Executor as _, PgConnection};

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
        if self.zones.has(zone) {
            return Ok(true);
        }
        // The statement is a transaction of its own, with which the zone ends.
        match sqlx::query(SET).bind(zone).execute(&self.pool).await {
            Ok(_) => {
                self.zones.remember(zone);
                Ok(true)
            }
            Err(error) if has_sqlstate(&error, INVALID_PARAMETER_VALUE) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Sets it for the rest of a transaction that has begun.
pub(super) async fn set_zone(connection: &mut PgConnection, zone: &str) -> Result<(), sqlx::Error> {
    sqlx::query(SET).bind(zone).execute(connection).await.map(drop)
}

/// Begins a transaction of this time zone, in one round trip. It has to be [ended](end), also if this fails.
pub(super) async fn begin_in(connection: &mut PgConnection, zone: &str) -> Result<(), sqlx::Error> {
    // Safe: each session reads a backslash in a literal as itself, so that only a quote ends it.
    let zone = zone.replace('\'', "''");
    let begin = format!("BEGIN; SET LOCAL TimeZone = '{zone}'");
    connection.execute(begin.as_str()).await.map(drop)
}

/// Ends it, and with it the zone.
pub(super) async fn end(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("ROLLBACK").await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{connect_to_read, test_database::TestDatabase};

    #[tokio::test]
    async fn a_transaction_has_its_zone_and_the_session_keeps_its_own() {
        let database = TestDatabase::create().await;
        let mut session = connect_to_read(&database.pool().await).await.unwrap();
        let set = "SELECT current_setting('TimeZone')";
        for zone in ["Asia/Tokyo", "-04:30", "<a b>-02:30", "UTC"] {
            begin_in(&mut session, zone).await.unwrap();
            let found: String = sqlx::query_scalar(set).fetch_one(&mut session).await.unwrap();
            let expected: String = sqlx::query_scalar(SET).bind(zone).fetch_one(&mut session).await.unwrap();
            assert_eq!(found, expected, "{zone}");
            end(&mut session).await.unwrap();
        }
        // What is not a zone ends nothing but its own transaction, whatever it says.
        for text in ["UTC'; COMMIT; SET TimeZone = 'Asia/Tokyo", "'", "\\'", "\\"] {
            assert!(begin_in(&mut session, text).await.is_err(), "{text}");
            end(&mut session).await.unwrap();
        }
        let zone: String = sqlx::query_scalar(set).fetch_one(&mut session).await.unwrap();
        assert_eq!(zone, "UTC");
    }
}
