//! Which database a log is in, by whatever address and name that was found.

use sqlx::PgPool;

use crate::postgres::{ANSWER_TIMEOUT, has_sqlstate, sqlstate::INSUFFICIENT_PRIVILEGE, within};

/// A database, as no other one is that is there at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WhichDatabase {
    /// The number that the server got when it was made; or the id of the log, for a role that may not see the former.
    server: String,
    /// The name of the database within the server.
    pub name: String,
}

/// Finds out which database it is. Its schema is up to date.
///
/// # Errors
/// Postgres fails, or does not answer in time.
pub async fn which_database(pool: &PgPool) -> Result<WhichDatabase, sqlx::Error> {
    const BY_SERVER: &str = "SELECT system_identifier::text, current_database()::text FROM pg_control_system()";
    const BY_LOG: &str = "SELECT log_id::text, current_database()::text FROM gnomon.head";
    let ask = async |statement: &'static str| {
        let (server, name) =
            within(ANSWER_TIMEOUT, "which database it is", sqlx::query_as(statement).fetch_one(pool)).await?;
        Ok::<_, sqlx::Error>(WhichDatabase { server, name })
    };
    match ask(BY_SERVER).await {
        Err(error) if has_sqlstate(&error, INSUFFICIENT_PRIVILEGE) => ask(BY_LOG).await,
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{migrate, test_database::TestDatabase, test_role::Role};

    #[tokio::test]
    async fn a_database_is_the_same_whoever_asks_and_no_other_one() {
        let (role, database) = (Role::create().await, TestDatabase::create().await);
        let mut found = Vec::new();
        for options in
            [role.connect_options(), database.connect_options(), database.connect_options().application_name("x")]
        {
            let pool = PgPool::connect_with(options).await.unwrap();
            found.push(which_database(&pool).await.unwrap());
            pool.close().await;
        }
        assert_eq!(found[1], found[2]);
        assert_eq!(found[0].server, found[1].server);
        assert_ne!(found[0].name, found[1].name);
        role.drop().await;
    }

    #[tokio::test]
    async fn a_role_that_may_not_see_the_server_knows_it_by_its_log() {
        let role = Role::create().await;
        migrate(&role.admin).await.unwrap();
        role.admin("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC").await;
        role.admin("GRANT USAGE ON SCHEMA gnomon TO {role}; GRANT SELECT ON gnomon.head TO {role}").await;
        let pool = PgPool::connect_with(role.connect_options()).await.unwrap();
        let (one, again) = (which_database(&pool).await.unwrap(), which_database(&pool).await.unwrap());
        assert_eq!(one, again);
        assert_eq!(one.server.len(), 36, "{one:?}");
        pool.close().await;
        role.drop().await;
    }
}
