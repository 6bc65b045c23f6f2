//! `gnomon migrate`

use anyhow::bail;
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::{
    host::{log_start, open_database, options::ConnectionOptions, prepare_folder},
    output::data,
};
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    postgres::{Database, RoleNames, RolesMade, make_roles, migrate},
};

/// Bring the schema of the database up to date. `gnomon serve` does the same when it starts, if its role may.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// Make the roles that own the schema, run hosts and read, unless they are there, and give each what it needs; docs/roles.md describes them
    #[arg(long)]
    roles: bool,

    /// What the names of the roles begin with
    #[arg(long, env = "GNOMON_ROLE_PREFIX", value_name = "NAME", default_value = "gnomon")]
    role_prefix: String,

    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    connections: ConnectionOptions,
    #[command(flatten)]
    data_dir: DataDirOptions,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let roles = if self.roles { Some(RoleNames::new(&self.role_prefix)?) } else { None };
        if roles.is_some() && self.database.database_url.is_none() {
            bail!(
                "the private Postgres of a host has one role, for that host alone; give --roles a database with --database-url (DATABASE_URL)"
            );
        }
        let folder = self.data_dir.folder();
        if self.database.database_url.is_none() {
            prepare_folder(&folder)?;
        }
        let (options, postgres) = open_database(&self.database, &folder, log_start()).await?;
        let migrated = self.migrate(options, roles.as_ref()).await;
        if let Some(postgres) = postgres {
            postgres.stop().await?;
        }
        migrated
    }

    async fn migrate(&self, options: PgConnectOptions, roles: Option<&RoleNames>) -> anyhow::Result<()> {
        let ConnectionOptions { max_connections, .. } = self.connections;
        let database = Database::connect(options, max_connections, self.connections.connect_timeout()).await?;
        migrate(&database.lookups).await?;
        if let Some(names) = roles {
            say(names, &make_roles(&database.lookups, names).await?)?;
        }
        database.close().await;
        Ok(())
    }
}

/// Says what there is now, and what to type next.
fn say(names: &RoleNames, done: &RolesMade) -> anyhow::Result<()> {
    let RoleNames { owner, host, reader } = names;
    for (role, what) in [
        (owner, "owns the schema gnomon, and migrates"),
        (host, "runs hosts: it appends to the log, and owns read models"),
        (reader, "reads the views of read_models, and nothing else"),
    ] {
        data(format_args!("{role} {} {what}", if done.made.contains(role) { "(made)" } else { "(was there)" }))?;
    }
    for former in &done.former_owners {
        data(format_args!(
            "{former} owned some of this, and may not use it any more; hosts that connect as {former} need: GRANT {host} TO {former};"
        ))?;
    }
    data("")?;
    data(format_args!("None of them can log in. Give each a login, in psql on the database {}:", done.database))?;
    for (role, login, what) in [
        (owner, "migrator", "for `gnomon migrate`"),
        (host, "server", "for `gnomon serve`"),
        (reader, "report", "for whoever reads with SQL"),
    ] {
        data(format_args!("  CREATE ROLE {login} LOGIN PASSWORD '…' IN ROLE {role};  -- {what}"))?;
    }
    Ok(())
}
