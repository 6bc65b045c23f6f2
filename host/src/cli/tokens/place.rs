//! Where tokens are made, listed and revoked: a host does it, or it is done in the database.

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use clap::Args;

use crate::{
    access::{TokenError, Tokens},
    cli::client::Client,
    config::ClientOptions,
    postgres::{Database, embedded::EmbeddedConnection, is_missing_table, parse_url},
};

/// Connections that the command needs.
const CONNECTIONS: u32 = 2;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct PlaceOptions {
    /// Do it in this database and not through a host, as postgres://user:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,

    /// Do it in the private Postgres of a host that runs on this machine with this folder
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    client: ClientOptions,
}

impl std::fmt::Debug for PlaceOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL has a password in it.
        f.debug_struct("PlaceOptions").field("data_dir", &self.data_dir).field("client", &self.client).finish()
    }
}

/// Where it is done.
pub(super) enum Place {
    Host(Client),
    Database(Box<Opened>),
}

/// A database that is open.
pub(super) struct Opened {
    database: Database,
    pub(super) tokens: Tokens,
    /// Who does it.
    pub(super) who: String,
}

impl PlaceOptions {
    pub(super) async fn open(&self) -> anyhow::Result<Place> {
        // A folder that is named comes before a database that some variable names.
        let url = match (&self.data_dir, &self.database_url) {
            (Some(folder), _) => match EmbeddedConnection::find(folder)? {
                Some(connection) => connection.url(),
                None => bail!("no host runs a private Postgres in {}; start it with `gnomon serve`", folder.display()),
            },
            (None, Some(url)) => url.clone(),
            (None, None) => return Ok(Place::Host(Client::new(&self.client)?)),
        };
        let database = Database::connect(parse_url(&url)?, CONNECTIONS, CONNECT_TIMEOUT).await?;
        let tokens = Tokens::new(database.lookups.clone());
        Ok(Place::Database(Box::new(Opened { database, tokens, who: format!("gnomon tokens, {}", user()) })))
    }
}

impl Opened {
    /// Closes the database; an error that tells that it is not one of Gnomon's yet is put into words.
    pub(super) async fn close<T>(self, done: anyhow::Result<T>) -> anyhow::Result<T> {
        self.database.close().await;
        done.map_err(|error| {
            let sqlx = error.downcast_ref::<sqlx::Error>();
            let of_token = error.downcast_ref::<TokenError>();
            let missing = sqlx.is_some_and(is_missing_table)
                || matches!(of_token, Some(TokenError::Postgres(error)) if is_missing_table(error));
            if missing {
                anyhow::anyhow!("the database has no tables for tokens yet; `gnomon migrate` makes them, and so does a host when it starts")
            } else {
                error
            }
        })
    }
}

/// The user of this machine.
fn user() -> String {
    let uid = nix::unistd::Uid::current();
    let name = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
    format!("user {}", name.unwrap_or_else(|| uid.to_string()))
}
