//! `gnomon migrate`

use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::host::{log_start, open_database, options::ConnectionOptions, prepare_folder};
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    postgres::{Database, migrate},
};

/// Bring the schema of the database up to date. `gnomon serve` does the same when it starts.
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
        let folder = self.data_dir.folder();
        if self.database.database_url.is_none() {
            prepare_folder(&folder)?;
        }
        let (options, postgres) = open_database(&self.database, &folder, log_start()).await?;
        let migrated = self.migrate(options).await;
        if let Some(postgres) = postgres {
            postgres.stop().await?;
        }
        migrated
    }

    async fn migrate(&self, options: PgConnectOptions) -> anyhow::Result<()> {
        let ConnectionOptions { max_connections, .. } = self.connections;
        let database = Database::connect(options, max_connections, self.connections.connect_timeout()).await?;
        migrate(&database.lookups).await?;
        database.close().await;
        Ok(())
    }
}
