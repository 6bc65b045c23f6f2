//! `gnomon migrate`

use clap::Args;

use super::host::{log_start, open_database, options::ConnectionOptions};
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    postgres::{Database, migrate},
    server::ServerSettings,
};

/// Bring the database's schema up to date, and nothing else. `serve` does the same when it starts.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    connections: ConnectionOptions,
    #[command(flatten)]
    data_dir: DataDirOptions,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (options, postgres) = open_database(&self.database, &self.data_dir.folder(), log_start()).await?;
        let timeout = ServerSettings::default().connect_timeout;
        let database = Database::connect(options, self.connections.max_connections, timeout).await?;
        migrate(&database.lookups).await?;
        database.close().await;
        if let Some(postgres) = postgres {
            postgres.stop().await?;
        }
        Ok(())
    }
}
