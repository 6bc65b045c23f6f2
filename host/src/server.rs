//! A running host: connects the rooms.

mod listening;
mod open_files;
mod personal_data;
mod rooms;
mod settings;
mod start_error;
mod tenant;
mod tenant_claims;
mod tenant_server;

use std::net::SocketAddr;

use sqlx::postgres::PgConnectOptions;
use tracing::info;

use self::listening::{Listening, of_clients, to_postgres};
pub(crate) use self::rooms::Rooms;
pub use self::{
    settings::ServerSettings,
    start_error::StartError,
    tenant::{Tenant, TenantLimits},
    tenant_server::{STARTS_AT_ONCE, TenantServer},
};
use crate::http::{Gate, Way};

/// A running host.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    gate: Gate,
    /// `None` before [`Server::open`].
    rooms: Option<Rooms>,
    listening: Listening,
}

impl Server {
    /// Starts a host on a database. When it returns, the host answers.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(database: PgConnectOptions, settings: ServerSettings) -> Result<Self, StartError> {
        let mut server = Self::bind(settings).await?;
        server.open(database).await?;
        Ok(server)
    }

    /// Reads the certificate, and takes the port. From now on the host is alive, and answers that it is starting.
    ///
    /// # Errors
    /// [`StartError::Unprotected`], [`StartError::IssuerWithoutAuth`], [`StartError::Tls`], [`StartError::Listen`]
    pub async fn bind(settings: ServerSettings) -> Result<Self, StartError> {
        let gate = Gate::closed("it has just begun");
        let connections = of_clients(&settings, to_postgres(&settings));
        let listening = Listening::begin(&settings, Way::Gate(gate.clone()), connections).await?;
        Ok(Self { settings, gate, rooms: None, listening })
    }

    /// The way into the API, which tells requests what the host waits for while it is starting.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Connects to the database and starts the host's work. When it returns, the host answers.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(&mut self, database: PgConnectOptions) -> Result<(), StartError> {
        self.gate.say("it connects to Postgres");
        let gate = self.gate.clone();
        let rooms = Rooms::start(database, &self.settings, &move |step| gate.say(step)).await?;
        self.gate.open(rooms.api(self.settings.http.clone(), self.listening.closing.clone()));
        self.rooms = Some(rooms);
        info!(address = %self.address(), "listening");
        Ok(())
    }

    /// The URL under which this machine reaches the host.
    #[must_use]
    pub fn url(&self) -> String {
        self.listening.url()
    }

    /// The address that the host listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// Waits until the listener fails, and returns its error.
    pub async fn failed(&mut self) -> std::io::Error {
        self.listening.failed().await
    }

    /// Stops: accepts no new requests, answers the current ones, finishes commits, releases leases. Returns what did not end within
    /// [`ServerSettings::shutdown_timeout`], each step of which has its part; that is left as it is.
    pub async fn stop(self) -> Vec<String> {
        let closed = self.listening.close().await;
        let mut hung: Vec<&str> = closed.hung.into_iter().collect();
        if let Some(rooms) = self.rooms {
            hung.extend(rooms.stop(closed.by(6), closed.by(7)).await);
        }
        let hung: Vec<String> = hung.into_iter().map(str::to_owned).collect();
        closed.say(&hung);
        hung
    }
}

#[cfg(test)]
mod start_tests;
#[cfg(test)]
pub(crate) mod tests;
