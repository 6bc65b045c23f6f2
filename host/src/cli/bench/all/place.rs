//! Where rows are measured: a host on a database of its own.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail};
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    bank::Bank, connection::Connection, cpu::CpuMeter, databases::Databases, host_process::HostProcess, logs::Log,
    modules::REACTORS, receiver::Receiver,
};
use crate::{
    api::{BuildState, Projection},
    cli::{
        bench::rebuild::reach,
        client::Client,
        deploy::{Activate, upload},
        import::{Source, Summary, import},
        last_appends,
        progress::Progress,
    },
    postgres::connect_to_read,
};

/// Connections that are left to the host and to others.
const SPARE_CONNECTIONS: usize = 8;
/// Connections beside more clients, where the server does not allow one for each.
const MOST_IF_FEW: usize = 64;
/// How often the checkpoint of a build is read.
const EVERY: Duration = Duration::from_millis(5);

/// A host on a database of its own, and what it has.
pub(super) struct Place {
    host: HostProcess,
    database: PgConnectOptions,
    /// Takes the traces and logs of the host, if it sends any.
    receiver: Option<Receiver>,
    /// Opens no connection by itself; it names the database.
    names: PgPool,
    /// For operations.
    pub(super) client: Client,
    pub(super) bank: Bank,
}

impl Place {
    /// A host whose log is empty and that has no module. It may send traces and logs.
    pub(super) async fn open(
        databases: &Databases,
        bank: Bank,
        settings: &'static [(&'static str, &'static str)],
        sends: bool,
    ) -> anyhow::Result<Self> {
        let mut variables: Vec<(&str, String)> =
            settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let receiver = if sends { Some(Receiver::start().await?) } else { None };
        variables.push(match &receiver {
            Some(receiver) => ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url()),
            // Whatever this program's environment says.
            None => ("OTEL_SDK_DISABLED", "true".to_owned()),
        });
        let database = databases.make().await?;
        let host = HostProcess::start(&database, variables).await?;
        let client = client_of(&host)?;
        let names = PgPoolOptions::new().connect_lazy_with(database.clone());
        Ok(Self { host, database, receiver, names, client, bank })
    }

    /// Imports a log and deploys modules, and waits until queries read those of projections. Reactors do not begin.
    pub(super) async fn fill(
        &self,
        log: &Log,
        modules: &[(&'static str, &Path)],
        progress: &Progress,
    ) -> anyhow::Result<()> {
        if !log.is_empty() {
            self.import(log.source()?, progress).await?;
        }
        let mut builds = Vec::with_capacity(modules.len());
        for (name, component) in modules {
            progress.show(0, None, format_args!("deploying {name}"));
            if REACTORS.contains(name) {
                upload(&self.client, name, component, Activate::Manual).await?;
                continue;
            }
            let upload = upload(&self.client, name, component, Activate::Auto).await?;
            let build = upload.uploaded.build.with_context(|| format!("the host began no build of `{name}`"))?;
            builds.push((name, build));
        }
        for (name, build) in builds {
            reach(&self.client, name, build, BuildState::Active).await?;
        }
        Ok(())
    }

    /// Imports events, as `gnomon import` does.
    pub(super) async fn import(&self, source: Source, progress: &Progress) -> anyhow::Result<Summary> {
        let summary = import(&self.client, source, progress).await?;
        // It is of no use after the benchmark.
        last_appends::replace(&self.client, None);
        Ok(summary)
    }

    /// Stops the host and starts it again; returns how long it took until it was ready. What it had in memory is lost.
    pub(super) async fn restart(&mut self) -> anyhow::Result<Duration> {
        self.host.restart(&self.database).await?;
        self.client = client_of(&self.host)?;
        Ok(self.host.started_in())
    }

    /// Waits until the active build of a projection holds every event up to a position.
    pub(super) async fn hold(&self, name: &str, position: u64) -> anyhow::Result<()> {
        loop {
            let projection: Projection = self.client.json(self.client.get(&["v1", "projections", name])).await?;
            let active = projection.active_build.and_then(|active| projection.build(active));
            let active = active.with_context(|| format!("no build of `{name}` is active"))?;
            if active.checkpoint >= position {
                return Ok(());
            }
            if let Some(why) = active.why_it_stopped(name) {
                bail!(why);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// The host's own database.
    pub(super) fn database(&self) -> &PgConnectOptions {
        &self.database
    }

    /// So many HTTP connections to the host.
    pub(super) async fn connections(&self, connections: usize) -> anyhow::Result<Vec<Connection>> {
        Connection::open_several(self.host.address(), connections).await
    }

    /// One HTTP connection to the host.
    pub(super) async fn connection(&self) -> anyhow::Result<Connection> {
        Connection::open(self.host.address()).await
    }

    /// A session of Postgres with the settings of the host's own.
    pub(super) async fn session(&self) -> anyhow::Result<PgConnection> {
        Ok(connect_to_read(&self.names).await?)
    }

    /// A session for each of so many clients; fewer where the server does not allow so many.
    pub(super) async fn sessions(&self, clients: usize) -> anyhow::Result<Vec<PgConnection>> {
        let wanted = self.sessions_allowed(clients).await?;
        let mut sessions = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            sessions.push(self.session().await?);
        }
        Ok(sessions)
    }

    /// As many sessions as clients; fewer where the server does not allow so many.
    pub(super) async fn sessions_allowed(&self, clients: usize) -> anyhow::Result<usize> {
        let left = self.connections_left().await?;
        Ok(if clients <= left { clients } else { clients.min(MOST_IF_FEW).min(left) })
    }

    /// Measures the processor time of host and clients from now on.
    pub(super) fn cpu(&self) -> CpuMeter {
        CpuMeter::start(self.host.id())
    }

    /// Adds to an error what the host said last, if it has ended.
    pub(super) fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        self.host.explain(error)
    }

    /// Stops the host, and drops its database.
    pub(super) async fn close(self, databases: &Databases) -> anyhow::Result<()> {
        self.host.stop().await?;
        if let Some(receiver) = self.receiver {
            receiver.check()?;
        }
        databases.drop(&self.database).await
    }

    async fn connections_left(&self) -> anyhow::Result<usize> {
        let left: i64 = sqlx::query_scalar(
            "SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                 - coalesce(current_setting('reserved_connections', true)::bigint, 0)
                 - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')",
        )
        .fetch_one(&mut self.session().await?)
        .await?;
        Ok(usize::try_from(left).unwrap_or_default().saturating_sub(SPARE_CONNECTIONS).max(1))
    }
}

fn client_of(host: &HostProcess) -> anyhow::Result<Client> {
    Ok(Client::of(&format!("http://{}", host.address()))?)
}
