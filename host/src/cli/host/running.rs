//! A host in this process, with a private Postgres if no database is given.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::bail;
use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, timeout_at};
use tracing::info;

use super::{folder::prepare_folder, options::HostOptions, stop_signals::StopSignals, tenants::read_tenants};
use crate::{
    config::DatabaseOptions,
    postgres::{
        embedded::{EmbeddedConfig, EmbeddedPostgres, ProgressListener, StartProgress},
        parse_url,
    },
    server::{Server, ServerSettings, TenantServer},
    telemetry::stop_sending,
};

/// The last spans and log records have this part of the time to stop, if so much is left.
const SENDING_PART: u32 = 8;

/// A host in this process.
pub(in crate::cli) struct RunningHost {
    server: Hosts,
    postgres: Option<EmbeddedPostgres>,
    shutdown_timeout: Duration,
}

/// One host, or one for each tenant.
enum Hosts {
    One(Box<Server>),
    Tenants(TenantServer),
}

impl RunningHost {
    /// Starts a private Postgres if no database is given, and then a host. When this returns, the host answers.
    pub(in crate::cli) async fn start(options: &HostOptions) -> anyhow::Result<Self> {
        let folder = options.data_dir.folder();
        match options.tenants() {
            Some(file) => Self::start_tenants(file, &options.database, &folder, options.settings()).await,
            None => Self::start_with(&options.database, &folder, options.settings(), log_start()).await,
        }
    }

    /// Starts a host for each tenant that a file names.
    async fn start_tenants(
        file: &Path,
        database: &DatabaseOptions,
        folder: &Path,
        settings: ServerSettings,
    ) -> anyhow::Result<Self> {
        if database.database_url.is_some() {
            bail!(
                "--tenants (GNOMON_TENANTS) names the database of each tenant, so there is none beside them; leave out --database-url (DATABASE_URL)"
            );
        }
        let tenants = read_tenants(file)?;
        prepare_folder(folder)?;
        let shutdown_timeout = settings.shutdown_timeout;
        let mut server = TenantServer::bind(settings, tenants).await?;
        if let Err(error) = server.open().await {
            server.stop().await;
            return Err(error.into());
        }
        Ok(Self { server: Hosts::Tenants(server), postgres: None, shutdown_timeout })
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
        let shutdown_timeout = settings.shutdown_timeout;
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
        Ok(Self { server: Hosts::One(Box::new(server)), postgres, shutdown_timeout })
    }

    /// The URL of the host.
    pub(in crate::cli) fn url(&self) -> String {
        match &self.server {
            Hosts::One(server) => server.url(),
            Hosts::Tenants(server) => server.url(),
        }
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
        let listener_failed = async {
            match &mut self.server {
                Hosts::One(server) => server.failed().await,
                Hosts::Tenants(server) => server.failed().await,
            }
        };
        tokio::select! {
            error = listener_failed => anyhow::Error::new(error).context("the host stopped listening"),
            exit = postgres_ended => anyhow::anyhow!("the private Postgres ended: {exit}"),
        }
    }

    /// Stops the host, and then its Postgres. What does not end in time is left to the end of the process, which `signals` sees to.
    ///
    /// # Errors
    /// Names what did not end in time.
    pub(in crate::cli) async fn stop(self, mut signals: StopSignals) -> anyhow::Result<()> {
        let timeout = self.shutdown_timeout;
        let deadline = Instant::now() + timeout;
        signals.end_within(timeout);
        let mut hung = match self.server {
            Hosts::One(server) => server.stop().await,
            Hosts::Tenants(server) => server.stop().await,
        };
        if let Some(postgres) = self.postgres {
            match timeout_at(deadline, postgres.stop()).await {
                Ok(stopped) => stopped?,
                Err(_) => hung.push("the private Postgres".to_owned()),
            }
        }
        // What was done until now is in spans and log records that may not be sent yet.
        let left = deadline.saturating_duration_since(Instant::now());
        stop_sending(left.min(timeout / SENDING_PART)).await;
        if !hung.is_empty() {
            let (seconds, hung) = (timeout.as_secs_f64(), hung.join(", "));
            anyhow::bail!("the host did not stop in order within {seconds} s (--shutdown-timeout): {hung} did not end");
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
