//! A host in this process, with a Postgres of its own if it was given none.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use clap::Args;
use sqlx::postgres::PgConnectOptions;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::{
    config::{DataDirOptions, DatabaseOptions, HttpOptions, LimitOptions, ProjectorOptions},
    event_log::{EventLogSettings, Limits},
    http::HttpSettings,
    postgres::embedded::{EmbeddedConfig, EmbeddedPostgres, ProgressListener, StartProgress},
    projector::ProjectorSettings,
    runtime::RuntimeLimits,
    server::{Server, ServerSettings},
    subscriptions::BatchSize,
};

/// What a host is told on the command line.
#[derive(Args, Clone, Debug)]
pub(super) struct HostOptions {
    #[command(flatten)]
    pub(super) http: HttpOptions,
    #[command(flatten)]
    pub(super) database: DatabaseOptions,
    #[command(flatten)]
    pub(super) data_dir: DataDirOptions,
    #[command(flatten)]
    pub(super) limits: LimitOptions,
    #[command(flatten)]
    pub(super) projector: ProjectorOptions,
}

/// A host in this process.
pub(super) struct RunningHost {
    server: Server,
    postgres: Option<EmbeddedPostgres>,
}

impl RunningHost {
    /// Starts a host, after a Postgres if none was given. When it returns, the host answers.
    pub(super) async fn start(options: &HostOptions) -> anyhow::Result<Self> {
        Self::start_with(&options.database, &options.data_dir.folder(), options.settings(), log_start()).await
    }

    /// The same with settings that do not come from the command line. `listener` hears what takes long.
    pub(super) async fn start_with(
        database: &DatabaseOptions,
        folder: &Path,
        settings: ServerSettings,
        listener: ProgressListener,
    ) -> anyhow::Result<Self> {
        let (database, postgres) = open_database(database, folder, listener).await?;
        let server = match Server::start(database, settings).await {
            Ok(server) => server,
            Err(error) => {
                if let Some(postgres) = postgres {
                    postgres.stop().await?;
                }
                return Err(error.into());
            }
        };
        Ok(Self { server, postgres })
    }

    /// Where the host listens, as clients write it.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The private Postgres, if there is one.
    pub(super) fn postgres(&self) -> Option<&EmbeddedPostgres> {
        self.postgres.as_ref()
    }

    /// Returns only if the host cannot go on.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
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
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await;
        if let Some(postgres) = self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }
}

/// The database that was given, or one of a private Postgres that is started now.
pub(super) async fn open_database(
    options: &DatabaseOptions,
    folder: &Path,
    listener: ProgressListener,
) -> anyhow::Result<(PgConnectOptions, Option<EmbeddedPostgres>)> {
    if let Some(url) = &options.database_url {
        let options = url.parse().context("DATABASE_URL is no postgres:// URL")?;
        return Ok((options, None));
    }
    let mut config = EmbeddedConfig::from_env(folder);
    config.progress = Some(listener);
    let postgres = EmbeddedPostgres::start(config).await?;
    info!(data = %postgres.data_dir().join("postgres").display(), version = %postgres.major(), "private Postgres is ready");
    Ok((postgres.connect_options(), Some(postgres)))
}

/// Logs what takes long.
pub(super) fn log_start() -> ProgressListener {
    Arc::new(|progress| match progress {
        StartProgress::Unpacking => info!("unpacking Postgres"),
        StartProgress::Initialising => info!("making the private Postgres' data directory"),
        StartProgress::WaitingForPredecessor { pid } => {
            info!(pid, "waiting for the Postgres of an earlier host to end")
        }
        _ => {}
    })
}

impl HostOptions {
    pub(super) fn settings(&self) -> ServerSettings {
        let Self { http, database, data_dir, limits, projector } = self;
        ServerSettings {
            listen: http.listen,
            max_connections: database.max_connections,
            cache: Some(data_dir.folder().join("compiled")),
            log: EventLogSettings {
                limits: Limits {
                    max_event_bytes: limits.max_event_bytes,
                    max_append_events: limits.max_append_events,
                    max_stream_name_bytes: limits.max_stream_name_bytes,
                    max_event_type_bytes: limits.max_event_type_bytes,
                },
                ..EventLogSettings::default()
            },
            limits: RuntimeLimits {
                max_module_bytes: limits.max_module_bytes,
                max_memory_bytes: limits.max_memory_bytes,
                max_batch_time: limits.max_batch_time,
                max_row_bytes: limits.max_row_bytes,
                max_find_rows: limits.max_find_rows,
                max_get_keys: limits.max_get_keys,
                max_batch_reads: limits.max_batch_reads,
                max_read_bytes: limits.max_read_bytes,
                max_call_bytes: limits.max_call_bytes,
                max_batch_write_bytes: limits.max_batch_write_bytes,
                max_upcast_events: limits.max_upcast_events,
                max_event_bytes: limits.max_event_bytes,
                max_event_type_bytes: limits.max_event_type_bytes,
            },
            projector: ProjectorSettings {
                batch: BatchSize { max_events: projector.batch_events, max_bytes: projector.batch_bytes },
                lease: projector.lease,
                keep_replaced: projector.keep_replaced,
                max_dead_letters: projector.max_dead_letters,
            },
            http: HttpSettings {
                max_body_bytes: http.max_body_bytes,
                max_import_bytes: http.max_import_bytes,
                max_page: http.max_page,
                max_rows: http.max_rows,
                max_wait: http.max_wait,
            },
            ..ServerSettings::default()
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
