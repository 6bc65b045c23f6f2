//! `psql`: read models by SQL. The test needs no psql: a script in its place shows what it is given.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};

use gnomon::postgres::{
    embedded::{EmbeddedConfig, EmbeddedPostgres},
    test_database::TestDatabase,
};
use sqlx::{Connection, PgConnection};

use super::Said;
use crate::support::gnomon;

/// A folder with a program `psql` that prints what it is given.
fn psql() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("psql");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" \"$PGPASSWORD\" \"$PGOPTIONS\"\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn run(path: &std::path::Path, arguments: &[&str]) -> Said {
    let mut command = gnomon();
    command.arg("psql").args(arguments).env("PATH", path).stdin(Stdio::null());
    Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_is_opened_on_the_database_of_the_host() {
    let bin = psql();
    let url = "postgres://ada:p%40ss@db:5433/shop?sslmode=require";
    let said = run(bin.path(), &["--database-url", url, "--", "-c", "SELECT 1"]).await;
    insta::assert_snapshot!(said.out, @r"
    --dbname
    postgres://ada@db:5433/shop?sslmode=require
    -c
    SELECT 1
    p@ss
    -c search_path=read_models,public -c default_transaction_read_only=on
    ");
    let said = run(bin.path(), &["--database-url", url, "--write"]).await;
    assert!(said.out.ends_with("-c search_path=read_models,public\n"), "{}", said.out);
    let nowhere = tempfile::tempdir().unwrap();
    let said = run(nowhere.path(), &["--database-url", url]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.starts_with("error: psql is not in the PATH; install it"), "{}", said.err);
    assert!(!said.err.contains("p@ss") && !said.err.contains("p%40ss"), "{}", said.err);
    // The settings are ones that Postgres knows.
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(
        &database
            .connect_options()
            .options([("search_path", "read_models,public"), ("default_transaction_read_only", "on")]),
    )
    .await
    .unwrap();
    let refused = sqlx::query("CREATE TABLE t (n int)").execute(&mut connection).await.unwrap_err().to_string();
    assert!(refused.contains("read-only transaction"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_postgres_is_found_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let bin = psql();
    let said = run(bin.path(), &["--data-dir", data_dir]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(
        said.err.starts_with(&format!("error: no host runs a private Postgres in {data_dir}; start one with")),
        "{}",
        said.err
    );

    let postgres = EmbeddedPostgres::start(EmbeddedConfig::from_env(folder.path())).await.unwrap();
    let said = run(bin.path(), &["--data-dir", data_dir, "--print-url"]).await;
    assert_eq!(said.out, format!("{}\n", postgres.url()), "{}", said.err);
    let said = run(bin.path(), &["--data-dir", data_dir, "--", "-c", "SELECT 1"]).await;
    let (password, rest) = postgres
        .url()
        .split_once("://gnomon:")
        .map(|(_, rest)| rest.split_once('@').unwrap())
        .map(|(password, rest)| (password.to_owned(), rest.to_owned()))
        .unwrap();
    assert!(
        said.out.starts_with(&format!("--dbname\npostgres://gnomon@{rest}\n-c\nSELECT 1\n{password}\n")),
        "{}",
        said.out
    );
    postgres.stop().await.unwrap();
    assert_eq!(run(bin.path(), &["--data-dir", data_dir, "--print-url"]).await.code, Some(1));
}
