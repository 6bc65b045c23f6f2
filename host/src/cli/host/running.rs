//! A host in this process, with a private Postgres if no database is given.

use std::{path::Path, sync::Arc};

use sqlx::postgres::PgConnectOptions;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::{folder::prepare_folder, options::HostOptions};
use crate::{
    config::DatabaseOptions,
    postgres::{
        embedded::{EmbeddedConfig, EmbeddedPostgres, ProgressListener, StartProgress},
        parse_url,
    },
    server::{Server, ServerSettings},
};

/// A host in this process.
pub(in crate::cli) struct RunningHost {
    server: Server,
    postgres: Option<EmbeddedPostgres>,
}

impl RunningHost {
    /// Starts a private Postgres if no database is given, and then a host. When this returns, the host answers.
    pub(in crate::cli) async fn start(options: &HostOptions) -> anyhow::Result<Self> {
        Self::start_with(&options.database, &options.data_dir.folder(), options.settings(), log_start()).await
    }

    /// Starts a host with settings that do not come from the command line. `listener` hears of steps that take long.
    pub(in crate::cli) async fn start_with(
        database: &DatabaseOptions,
        folder: &Path,
        settings: ServerSettings,
        listener: ProgressListener,
    ) -> anyhow::Result<Self> {
        // What can be refused is refused before anything is made: options, the URL, the port, the folder.
        check_url(database)?;
        let mut server = Server::bind(settings).await?;
        if database.database_url.is_none() {
            server.gate().say("its private Postgres starts");
        }
        prepare_folder(folder)?;
        let (database, postgres) = open_database(database, folder, listener).await?;
        if let Err(error) = server.open(database).await {
            if let Some(postgres) = postgres {
                postgres.stop().await?;
            }
            return Err(error.into());
        }
        Ok(Self { server, postgres })
    }

    /// The URL of the host.
    pub(in crate::cli) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The private Postgres, if there is one.
    pub(in crate::cli) fn postgres(&self) -> Option<&EmbeddedPostgres> {
        self.postgres.as_ref()
    }

    /// Returns only if the host fails.
    pub(in crate::cli) async fn failed(&mut self) -> anyhow::Error {
        let postgres_ended = async {
            match &self.postgres {
                Some(postgres) => postgres.exited().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            error = self.server.failed() => anyhow::Error::new(error).context("the host stopped listening"),
            exit = postgres_ended => anyhow::anyhow!("the private Postgres ended: {exit}"),
        }
    }

    /// Stops the host, and then its Postgres.
    pub(in crate::cli) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await;
        if let Some(postgres) = self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }
}

fn check_url(options: &DatabaseOptions) -> anyhow::Result<()> {
    if let Some(url) = &options.database_url {
        parse_url(url)?;
    }
    Ok(())
}

/// The given database, or the database of a private Postgres that this starts.
pub(in crate::cli) async fn open_database(
    options: &DatabaseOptions,
    folder: &Path,
    listener: ProgressListener,
) -> anyhow::Result<(PgConnectOptions, Option<EmbeddedPostgres>)> {
    if let Some(url) = &options.database_url {
        return Ok((parse_url(url)?, None));
    }
    let mut config = EmbeddedConfig::from_env(folder);
    config.progress = Some(listener);
    let postgres = EmbeddedPostgres::start(config).await?;
    info!(data = %postgres.data_dir().join("postgres").display(), version = %postgres.major(), "private Postgres is ready");
    Ok((postgres.connect_options(), Some(postgres)))
}

/// Logs what takes long.
pub(in crate::cli) fn log_start() -> ProgressListener {
    Arc::new(|progress| match progress {
        StartProgress::Unpacking => info!("unpacking Postgres"),
        StartProgress::Initialising => info!("making the private Postgres' data directory"),
        StartProgress::WaitingForPredecessor { pid } => {
            info!(pid, "waiting for the Postgres of an earlier host to end")
        }
        _ => {}
    })
}

/// Waits for Ctrl-C or SIGTERM.
pub(in crate::cli) async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
