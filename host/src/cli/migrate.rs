//! `gnomon migrate`

use std::time::Duration;

use clap::Args;

use super::host::{log_start, open_database};
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    postgres::{Database, migrate},
};

/// Bring the database's schema up to date, and nothing else. `serve` does the same when it starts.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    data_dir: DataDirOptions,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (options, postgres) = open_database(&self.database, &self.data_dir.folder(), log_start()).await?;
        let database = Database::connect(options, self.database.max_connections, Duration::from_secs(30)).await?;
        migrate(&database.lookups).await?;
        database.close().await;
        if let Some(postgres) = postgres {
            postgres.stop().await?;
        }
        Ok(())
    }
}
