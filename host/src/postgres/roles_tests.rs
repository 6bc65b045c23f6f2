use sqlx::postgres::PgConnectOptions;

use super::*;
use crate::postgres::{
    MigrateError, Right, begin, examine, has_sqlstate, migrate, migrate_to, own_by_hosts, test_database::TestDatabase,
};

/// A database with roles of its own, and a login in each.
struct WithRoles {
    database: TestDatabase,
    admin: PgPool,
    names: RoleNames,
}

impl WithRoles {
    async fn create() -> Self {
        let database = TestDatabase::create().await;
        let admin = database.admin_pool().await;
        let names = RoleNames::new(&format!("test_{}", uuid::Uuid::new_v4().simple())).unwrap();
        Self { database, admin, names }
    }

    async fn make(&self) -> RolesMade {
        let made = make_roles(&self.admin, &self.names).await.unwrap();
        for role in self.names.all() {
            let login = format!(
                "DO $$ BEGIN CREATE ROLE {role}_login LOGIN PASSWORD 'secret' IN ROLE {role};
                 EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            );
            sqlx::raw_sql(&login).execute(&self.admin).await.unwrap();
        }
        made
    }

    fn options(&self, role: &str) -> PgConnectOptions {
        self.database.connect_options().username(&format!("{role}_login")).password("secret")
    }

    async fn pool(&self, role: &str) -> PgPool {
        PgPool::connect_with(self.options(role)).await.unwrap()
    }

    async fn drop(self) {
        for role in self.names.all() {
            let drop = format!("DROP OWNED BY {role}_login, {role} CASCADE; DROP ROLE {role}_login");
            sqlx::raw_sql(&drop).execute(&self.admin).await.unwrap();
        }
        let all = self.names.all().join(", ");
        sqlx::raw_sql(&format!("DROP ROLE {all}")).execute(&self.admin).await.unwrap();
        self.admin.close().await;
    }
}

const INSUFFICIENT_PRIVILEGE: &str = "42501";

#[tokio::test(flavor = "multi_thread")]
async fn hosts_and_readers_may_do_what_they_need_and_no_more() {
    let test = WithRoles::create().await;
    migrate(&test.admin).await.unwrap();
    let made = test.make().await;
    assert_eq!(made.made, test.names.all());
    // Once more is nothing new.
    let again = test.make().await;
    assert_eq!((again.made, again.former_owners), (vec![], vec![]));

    let host = test.pool(&test.names.host).await;
    let run = async |pool: &PgPool, sql: &str| sqlx::raw_sql(sql).execute(pool).await;
    run(&host, "INSERT INTO gnomon.streams VALUES ('a-1', 1, 1); UPDATE gnomon.streams SET version = 2").await.unwrap();
    run(&host, "SELECT gnomon.add_partition(1, 10); INSERT INTO gnomon.events VALUES (1, 1, now(), now(), gen_random_uuid(), 1, 'a-1', 'A', '1')")
        .await
        .unwrap();
    run(&host, "SELECT nextval('gnomon.past_builds'); CREATE SCHEMA build_7; DROP SCHEMA build_7").await.unwrap();
    for refused in [
        "UPDATE gnomon.events SET data = '2'",
        "DELETE FROM gnomon.events",
        "TRUNCATE gnomon.events",
        "SELECT * FROM gnomon.events_000000000001",
        "DELETE FROM gnomon.events_000000000001",
        "ALTER TABLE gnomon.events DISABLE TRIGGER ALL",
        "DROP TABLE gnomon.events",
        "DELETE FROM gnomon.event_tags",
        "DELETE FROM gnomon.streams",
        "DELETE FROM gnomon.head",
        "DELETE FROM gnomon.history",
        "UPDATE gnomon.module_versions SET component = ''",
        "INSERT INTO gnomon._sqlx_migrations SELECT * FROM gnomon._sqlx_migrations",
        "CREATE TABLE gnomon.mine ()",
        "DROP SCHEMA gnomon CASCADE",
        "CREATE OR REPLACE FUNCTION gnomon.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER TABLE gnomon.builds ADD COLUMN mine int",
    ] {
        let error = run(&host, refused).await.unwrap_err();
        assert!(has_sqlstate(&error, INSUFFICIENT_PRIVILEGE), "{refused}: {error}");
    }

    // What a host makes belongs to the role, whatever its login is.
    let mut transaction = begin(&host).await.unwrap();
    own_by_hosts(&mut transaction).await.unwrap();
    sqlx::raw_sql(
        "CREATE SCHEMA build_8; CREATE TABLE build_8.t (a int); CREATE VIEW read_models.p_t AS SELECT * FROM build_8.t",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    let owners: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relname IN ('t', 'p_t')
         UNION SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'build_8'",
    )
    .fetch_all(&host)
    .await
    .unwrap();
    assert_eq!(owners, std::slice::from_ref(&test.names.host));

    let reader = test.pool(&test.names.reader).await;
    run(&reader, "SELECT * FROM read_models.p_t").await.unwrap();
    for refused in [
        "SELECT * FROM gnomon.events",
        "SELECT * FROM gnomon.head",
        "SELECT gnomon.add_partition(11, 20)",
        "SELECT * FROM build_8.t",
        "INSERT INTO read_models.p_t VALUES (1)",
        "CREATE TABLE read_models.mine ()",
        "DROP VIEW read_models.p_t",
        "CREATE SCHEMA mine",
    ] {
        let error = run(&reader, refused).await.unwrap_err();
        assert!(has_sqlstate(&error, INSUFFICIENT_PRIVILEGE), "{refused}: {error}");
    }
    for pool in [host, reader] {
        pool.close().await;
    }
    test.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_says_that_migrations_are_due_and_the_owner_applies_them_for_it() {
    let test = WithRoles::create().await;
    migrate_to(&test.admin, 15).await.unwrap();
    test.make().await;
    let (host, owner) = (test.pool(&test.names.host).await, test.pool(&test.names.owner).await);
    let error = migrate(&host).await.unwrap_err();
    let MigrateError::Due { applied: Some(15), owner: role, .. } = &error else { panic!("{error}") };
    assert_eq!(*role, test.names.owner);
    assert!(error.to_string().contains("run `gnomon migrate` with a login of the role"), "{error}");
    let judged = async || {
        let examined = examine(test.options(&test.names.host)).await.unwrap();
        examined.rights.into_iter().find(|(right, _)| *right == Right::Migrate).unwrap().1
    };
    assert!(judged().await.unwrap_err().starts_with("migrations are due"));

    let version = migrate(&owner).await.unwrap();
    assert_eq!(migrate(&host).await.unwrap(), version);
    judged().await.unwrap();
    // The outbox is new, and nobody granted it by hand.
    sqlx::query("DELETE FROM gnomon.outbox").execute(&host).await.unwrap();
    let stranger: Option<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'gnomon'::regnamespace AND relkind IN ('r', 'p', 'S')
         AND pg_get_userbyid(relowner) <> $1",
    )
    .bind(&test.names.owner)
    .fetch_optional(&test.admin)
    .await
    .unwrap();
    assert_eq!(stranger, None, "all belongs to one role");
    // So it does after somebody who may do everything migrates.
    migrate(&test.admin).await.unwrap();
    for pool in [host, owner] {
        pool.close().await;
    }
    test.drop().await;
}

/// A database that one role has owned until now, as docs/postgres.md describes it.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_role_owned_is_handed_over_and_it_is_named() {
    let test = WithRoles::create().await;
    let former = format!("{}_former", test.names.host);
    let database = test.database.connect_options().get_database().unwrap().to_owned();
    let sql =
        format!("CREATE ROLE {former} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE \"{database}\" TO {former}");
    sqlx::raw_sql(&sql).execute(&test.admin).await.unwrap();
    let pool =
        PgPool::connect_with(test.database.connect_options().username(&former).password("secret")).await.unwrap();
    migrate(&pool).await.unwrap();
    sqlx::raw_sql(
        "CREATE SCHEMA build_1; CREATE TABLE build_1.t (a int); CREATE VIEW read_models.p_t AS SELECT * FROM build_1.t",
    )
    .execute(&pool)
    .await
    .unwrap();
    let error = make_roles(&pool, &test.names).await.unwrap_err();
    assert!(matches!(&error, RolesError::Rights { .. }), "{error}");
    assert!(error.to_string().contains("it has no CREATEROLE"), "{error}");

    let made = test.make().await;
    assert_eq!(made.former_owners, std::slice::from_ref(&former));
    assert!(migrate(&pool).await.is_err());
    let reader = test.pool(&test.names.reader).await;
    sqlx::query("SELECT * FROM read_models.p_t").execute(&reader).await.unwrap();
    // As the command says.
    let host = &test.names.host;
    sqlx::raw_sql(&format!("GRANT {host} TO {former}")).execute(&test.admin).await.unwrap();
    migrate(&pool).await.unwrap();
    sqlx::raw_sql("DROP SCHEMA build_1 CASCADE").execute(&pool).await.unwrap();
    for pool in [pool, reader] {
        pool.close().await;
    }
    sqlx::raw_sql(&format!("DROP OWNED BY {former}; DROP ROLE {former}")).execute(&test.admin).await.unwrap();
    test.drop().await;
}

#[test]
fn names_need_no_quotes() {
    assert_eq!(RoleNames::new("shop").unwrap().reader, "shop_reader");
    for prefix in ["", "Shop", "a b", "pg_shop", "1", "shop\"; DROP ROLE x", &"a".repeat(51)] {
        RoleNames::new(prefix).unwrap_err();
    }
}
