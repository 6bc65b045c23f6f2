//! The databases of the benchmark: they are made for it, and dropped at its end.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::{
    cli::{
        host::{log_start, open_database, prepare_folder},
        output::say,
    },
    config::DatabaseOptions,
    postgres::embedded::EmbeddedPostgres,
};

/// Prefix of the databases' names.
const PREFIX: &str = "gnomon_bench_";

/// A server of Postgres, and the databases that the benchmark has made there.
pub(super) struct Databases {
    /// For the role of the hosts, without the database.
    options: PgConnectOptions,
    /// For the role that makes databases.
    admin: PgConnectOptions,
    private: Option<EmbeddedPostgres>,
    made: Mutex<Vec<String>>,
}

impl Databases {
    /// Uses the server of the options, or starts a private one in a folder.
    pub(super) async fn open(database: &DatabaseOptions, folder: &Path) -> anyhow::Result<Self> {
        if database.database_url.is_none() {
            prepare_folder(folder)?;
        }
        let (options, private) = open_database(database, folder, log_start()).await?;
        let admin = private.as_ref().map_or_else(|| options.clone(), EmbeddedPostgres::superuser_options);
        let opened = Self { options, admin, private, made: Mutex::default() };
        opened.sweep().await?;
        Ok(opened)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// Postgres refuses, mostly since the role may not.
    pub(super) async fn make(&self) -> anyhow::Result<PgConnectOptions> {
        let name = format!("{PREFIX}{}", Uuid::new_v4().simple());
        let mut admin = self.connect().await?;
        // Before it is made, so that nothing is left where this ends in between.
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        let owner = self.options.get_username();
        if let Err(error) = admin.execute(format!(r#"CREATE DATABASE "{name}" OWNER "{owner}""#).as_str()).await {
            bail!(
                "cannot make a database for the benchmark, which runs in databases of its own: {error}; give it a role that may \
                 (ALTER ROLE \"{owner}\" CREATEDB), or no DATABASE_URL for a private Postgres"
            );
        }
        Ok(self.options.clone().database(&name))
    }

    /// Drops a database, whoever is connected to it.
    pub(super) async fn drop(&self, database: &PgConnectOptions) -> anyhow::Result<()> {
        let name = database.get_database().unwrap_or_default();
        let mut admin = self.connect().await?;
        let statement = format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#);
        admin.execute(statement.as_str()).await.with_context(|| format!("cannot drop the database {name}"))?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).retain(|made| made != name);
        Ok(())
    }

    /// The server, for the role of the hosts.
    pub(super) fn server(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The version of the server.
    pub(super) async fn version(&self) -> anyhow::Result<String> {
        let mut admin = self.connect().await?;
        Ok(sqlx::query_scalar("SELECT current_setting('server_version')").fetch_one(&mut admin).await?)
    }

    /// Drops all that is left, and stops the private server.
    ///
    /// # Errors
    /// Something is left, with its name.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let left = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut dropped = Ok(());
        for name in left {
            dropped = self.drop(&self.options.clone().database(&name)).await.and(dropped);
        }
        if let Some(private) = self.private {
            private.stop().await?;
        }
        dropped
    }

    /// Drops what killed benchmarks left. Postgres refuses to drop a database that is in use.
    async fn sweep(&self) -> anyhow::Result<()> {
        let mut admin = self.connect().await?;
        let names: Vec<String> =
            sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
                .bind(PREFIX)
                .fetch_all(&mut admin)
                .await?;
        for name in names {
            match admin.execute(format!(r#"DROP DATABASE "{name}""#).as_str()).await {
                Ok(_) => say(format_args!("dropped the database {name} of a benchmark that was killed")),
                Err(error) => say(format_args!("the database {name} of another benchmark stays: {error}")),
            }
        }
        Ok(admin.close().await?)
    }

    async fn connect(&self) -> anyhow::Result<PgConnection> {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        PgConnection::connect_with(&self.admin)
            .await
            .with_context(|| format!("cannot connect to Postgres at {host}:{port}"))
    }
}
