//! Starts a private Postgres in a folder, prints the pid of its process, and keeps it until the input ends.
//!
//! `cargo run --example private_postgres -- serve FOLDER`
//!
//! With `test` instead of `serve` it holds a database for a test. The tests of the private server start this program and kill it.

use std::{env, fs, io, path::Path};

use gnomon::postgres::{
    embedded::{Durability, EmbeddedConfig, EmbeddedPostgres},
    test_database::TestDatabase,
};
use sqlx::{Connection, PgConnection};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", folder] => {
            let mut config = EmbeddedConfig::from_env(folder);
            config.durability = Durability::Off;
            let _postgres = EmbeddedPostgres::start(config).await?;
            let pid_file = fs::read_to_string(Path::new(folder).join("postgres/cluster/postmaster.pid"))?;
            keep(pid_file.lines().next().unwrap_or_default())
        }
        ["test"] => {
            let database = TestDatabase::create().await;
            let mut connection = PgConnection::connect_with(&database.connect_options()).await?;
            let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
            keep(&backend.to_string())
        }
        _ => Err("usage: private_postgres serve FOLDER | test".into()),
    }
}

#[expect(clippy::print_stdout, reason = "the test that started the program reads it")]
fn keep(process: &str) -> Result<(), Error> {
    println!("READY {process}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
