//! Which database a log is in, by whatever address and name that was found.

use sqlx::PgPool;
use uuid::Uuid;

use crate::postgres::{ANSWER_TIMEOUT, has_sqlstate, sqlstate::INSUFFICIENT_PRIVILEGE, within};

/// A database, as no other one is that is there at the same time.
#[derive(Clone, Debug)]
pub struct WhichDatabase {
    /// The id of the log, which a copy of the database has as well.
    log: Uuid,
    /// The number that the server got when it was made; `None` for a role that may not see it.
    server: Option<String>,
    /// The name of the database within the server.
    pub name: String,
}

impl WhichDatabase {
    /// Whether it may be the same one. Where it cannot be told from a copy of the same name on another server, it may be.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let may_be_server = match (&self.server, &other.server) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.log == other.log && self.name == other.name && may_be_server
    }
}

/// Finds out which database it is. Its schema is up to date.
///
/// # Errors
/// Postgres fails, or does not answer in time.
pub async fn which_database(pool: &PgPool) -> Result<WhichDatabase, sqlx::Error> {
    const WITH_SERVER: &str = "SELECT log_id, (SELECT system_identifier::text FROM pg_control_system()), current_database()::text FROM gnomon.head";
    const WITHOUT: &str = "SELECT log_id, NULL::text, current_database()::text FROM gnomon.head";
    let ask = async |statement: &'static str| {
        let (log, server, name) =
            within(ANSWER_TIMEOUT, "which database it is", sqlx::query_as(statement).fetch_one(pool)).await?;
        Ok::<_, sqlx::Error>(WhichDatabase { log, server, name })
    };
    match ask(WITH_SERVER).await {
        Err(error) if has_sqlstate(&error, INSUFFICIENT_PRIVILEGE) => ask(WITHOUT).await,
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{migrate, test_database::TestDatabase, test_role::Role};

    #[tokio::test]
    async fn a_database_is_the_same_whoever_asks_and_no_other_one() {
        let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
        let mut found = Vec::new();
        for options in [other.connect_options(), one.connect_options(), one.connect_options().application_name("x")] {
            let pool = PgPool::connect_with(options).await.unwrap();
            migrate(&pool).await.unwrap();
            found.push(which_database(&pool).await.unwrap());
            pool.close().await;
        }
        assert!(found[1].may_be(&found[2]));
        assert!(!found[0].may_be(&found[1]));
        // A copy on the same server has another name, and one on another server another number.
        let copy = WhichDatabase { name: "copy".to_owned(), ..found[1].clone() };
        let elsewhere = WhichDatabase { server: Some("another".to_owned()), ..found[1].clone() };
        assert!(found[1].server.is_some() && !copy.may_be(&found[1]) && !elsewhere.may_be(&found[1]));
    }

    #[tokio::test]
    async fn a_role_that_may_not_see_the_server_finds_the_same_database() {
        let role = Role::create().await;
        migrate(&role.admin).await.unwrap();
        role.admin("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC").await;
        role.admin("GRANT USAGE ON SCHEMA gnomon TO {role}; GRANT SELECT ON gnomon.head TO {role}").await;
        let pool = PgPool::connect_with(role.connect_options()).await.unwrap();
        let (one, of_admin) = (which_database(&pool).await.unwrap(), which_database(&role.admin).await.unwrap());
        assert!(one.server.is_none() && of_admin.server.is_some(), "{one:?} {of_admin:?}");
        assert!(one.may_be(&of_admin) && of_admin.may_be(&one));
        pool.close().await;
        role.drop().await;
    }
}
