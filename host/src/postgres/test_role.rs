//! For tests: a role with few rights.

use sqlx::postgres::{PgConnectOptions, PgPool};

use super::test_database::TestDatabase;

/// A role of its own for one test, of which [`Role::drop`] leaves nothing.
pub(crate) struct Role {
    pub(crate) name: String,
    database: TestDatabase,
    pub(crate) admin: PgPool,
}

impl Role {
    /// A role that may only connect.
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let admin = database.admin_pool().await;
        let name = format!("gnomon_test_role_{}", uuid::Uuid::new_v4().simple());
        sqlx::raw_sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'secret'; REVOKE ALL ON SCHEMA public FROM PUBLIC"))
            .execute(&admin)
            .await
            .unwrap();
        Self { name, database, admin }
    }

    /// Runs a statement as the owner of the database; `{role}` is the role's name.
    pub(crate) async fn admin(&self, statements: &str) {
        let database = self.database.connect_options();
        let statements =
            statements.replace("{role}", &self.name).replace("{database}", database.get_database().unwrap());
        sqlx::raw_sql(&statements).execute(&self.admin).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        self.database.connect_options().username(&self.name).password("secret")
    }

    pub(crate) async fn drop(self) {
        self.admin("DROP OWNED BY {role} CASCADE; DROP ROLE {role}").await;
        self.admin.close().await;
    }
}
