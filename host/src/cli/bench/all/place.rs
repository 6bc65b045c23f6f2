//! Where rows are measured: a host on a database of its own.

use std::path::Path;

use anyhow::Context;
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{bank::Bank, connection::Connection, cpu::CpuMeter, databases::Databases, host_process::HostProcess};
use crate::{
    api::BuildState,
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

/// The name of the projection.
pub(super) const BANK: &str = "bank";
/// Connections that are left to the host and to others.
const SPARE_CONNECTIONS: usize = 8;
/// Connections beside more clients, where the server does not allow one for each.
const MOST_IF_FEW: usize = 64;

/// A host on a database of its own, and what it has.
pub(super) struct Place {
    host: HostProcess,
    database: PgConnectOptions,
    /// Opens no connection by itself; it names the database.
    names: PgPool,
    /// For operations.
    pub(super) client: Client,
    pub(super) bank: Bank,
}

impl Place {
    /// A host whose log is empty and that has no module.
    pub(super) async fn open(databases: &Databases, bank: Bank) -> anyhow::Result<Self> {
        let database = databases.make().await?;
        let host = HostProcess::start(&database).await?;
        let client = Client::of(&format!("http://{}", host.address()))?;
        let names = PgPoolOptions::new().connect_lazy_with(database.clone());
        Ok(Self { host, database, names, client, bank })
    }

    /// Imports the first events of the bank, as `gnomon import` does.
    pub(super) async fn import(&self, events: u64, progress: &Progress) -> anyhow::Result<Summary> {
        let summary = import(&self.client, Source::read(self.bank.lines(events), None)?, progress).await?;
        // It is of no use after the benchmark.
        last_appends::replace(&self.client, None);
        Ok(summary)
    }

    /// Deploys the bank, and waits until queries read it.
    pub(super) async fn deploy(&self, component: &Path) -> anyhow::Result<()> {
        let upload = upload(&self.client, BANK, component, Activate::Auto).await?;
        let build = upload.uploaded.build.with_context(|| format!("the host began no build of `{BANK}`"))?;
        reach(&self.client, BANK, build, BuildState::Active).await?;
        Ok(())
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
        let left = self.connections_left().await?;
        let wanted = if clients <= left { clients } else { clients.min(MOST_IF_FEW).min(left) };
        let mut sessions = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            sessions.push(self.session().await?);
        }
        Ok(sessions)
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
