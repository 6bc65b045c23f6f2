//! The way to a private Postgres that another process runs.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use super::{cluster, error::EmbeddedError, layout::Layout, port, ready::NAME};

/// How long the server may take to accept a connection on this machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The way to a private Postgres that a host on this machine runs, for a user who may read its data directory.
#[derive(Clone, PartialEq, Eq)]
pub struct EmbeddedConnection {
    /// The port, on 127.0.0.1.
    pub port: u16,
    /// The password of the role.
    pub password: String,
}

impl EmbeddedConnection {
    /// The role.
    pub const ROLE: &str = NAME;
    /// The database.
    pub const DATABASE: &str = NAME;

    /// The way to the Postgres of a data directory; `None` if none runs there.
    ///
    /// # Errors
    /// The user may not read its password.
    pub fn find(data_dir: &Path) -> Result<Option<Self>, EmbeddedError> {
        let layout = Layout::under(data_dir)?;
        let Some(port) = port::kept(&layout) else { return Ok(None) };
        if TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT).is_err() {
            return Ok(None);
        }
        Ok(Some(Self { port, password: cluster::read_password(&layout)? }))
    }

    /// The URL of the database, with the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{NAME}:{}@127.0.0.1:{}/{NAME}", self.password, self.port)
    }
}

impl std::fmt::Debug for EmbeddedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedConnection").field("port", &self.port).finish_non_exhaustive()
    }
}
