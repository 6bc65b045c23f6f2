//! Commands that need no host.

use gnomon::postgres::test_database::TestDatabase;

use super::Said;
use crate::support::gnomon;

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_can_be_repeated() {
    let database = TestDatabase::create().await;
    for _ in 0..2 {
        let mut command = gnomon();
        command.arg("migrate").env("DATABASE_URL", database.url());
        let said = Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
        let events: i64 =
            sqlx::query_scalar("SELECT count(*) FROM gnomon.events").fetch_one(&database.pool().await).await.unwrap();
        assert_eq!(events, 0);
    }
}

#[test]
fn an_unknown_command_is_refused_with_the_usage() {
    let said = Said::from(gnomon().arg("projektions").output().unwrap());
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("unrecognized subcommand 'projektions'"), "{}", said.err);
    assert!(said.err.contains("'projections'"), "{}", said.err);
}
