//! The port of a host, and what answers at it.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::{open_files, settings::ServerSettings, start_error::StartError};
use crate::{
    http::{ConnectionSettings, MAX_REFUSED, Tls, Way, serve},
    postgres::KEPT_CONNECTIONS,
};

/// A port, at which a way into the API answers.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    is_tls: bool,
    timeout: Duration,
    /// Cancelled, it ends answers that follow, and then the listener.
    pub(super) closing: CancellationToken,
    serving: JoinHandle<()>,
    /// Ends the listener with this value.
    _closes: DropGuard,
}

impl Listening {
    /// Reads the certificate, and takes the port, at which there is room for so many connections. From now on the host is alive.
    ///
    /// # Errors
    /// [`StartError::Unprotected`], [`StartError::IssuerWithoutAuth`], [`StartError::Tls`], [`StartError::Listen`]
    pub(super) async fn begin(
        settings: &ServerSettings,
        way: Way,
        connections: ConnectionSettings,
    ) -> Result<Self, StartError> {
        if !settings.access.allow(settings.listen.ip()) {
            return Err(StartError::Unprotected { address: settings.listen });
        }
        if settings.access.is_open() && settings.access.jwt.is_some() {
            return Err(StartError::IssuerWithoutAuth);
        }
        let tls = settings.tls.clone().map(Tls::load).transpose()?;
        let refused = |error| StartError::Listen { address: settings.listen, error };
        let listener = TcpListener::bind(settings.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (is_tls, closing) = (tls.is_some(), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, tls, way, connections, closing.clone()));
        info!(%address, "starting");
        say_who_may_come(settings, address);
        let closes = closing.clone().drop_guard();
        Ok(Self { address, is_tls, timeout: settings.shutdown_timeout, closing, serving, _closes: closes })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Waits until the listener fails, and returns its error.
    pub(super) async fn failed(&mut self) -> std::io::Error {
        match (&mut self.serving).await {
            Ok(()) => std::io::Error::other("the listener was closed"),
            Err(error) => std::io::Error::other(error),
        }
    }

    /// Accepts no new requests, and answers the current ones. Returns what remains of the time to stop, and what did not end in its part of it.
    pub(super) async fn close(self) -> Closed {
        let closed = Closed { began: Instant::now(), timeout: self.timeout, hung: None };
        self.closing.cancel();
        // Ends also with a client that never finishes its request: [`of_clients`].
        let hung = timeout_at(closed.by(5), self.serving).await.is_err().then_some("the requests under way");
        Closed { hung, ..closed }
    }
}

/// A port that is closed.
pub(super) struct Closed {
    began: Instant,
    timeout: Duration,
    /// What did not end.
    pub(super) hung: Option<&'static str>,
}

impl Closed {
    /// When so many eighths of the time to stop are over.
    pub(super) fn by(&self, eighths: u32) -> Instant {
        self.began + self.timeout * eighths / 8
    }

    /// Tells the log what has not ended at all.
    pub(super) fn say(&self, hung: &[String]) {
        if !hung.is_empty() {
            let seconds = self.timeout.as_secs_f64();
            warn!("not ended within {seconds} s (--shutdown-timeout): {}", hung.join(", "));
        }
    }
}

/// Says at the start what nobody should learn later.
fn say_who_may_come(settings: &ServerSettings, address: SocketAddr) {
    let (is_open, is_local) = (settings.access.is_open(), address.ip().to_canonical().is_loopback());
    if let Some(jwt) = &settings.access.jwt {
        info!(issuer = %jwt.issuer, audiences = jwt.audiences.join(","), "JWTs of an issuer are taken (--jwt-issuer)");
    }
    if is_open && is_local {
        info!("authentication is off: whoever reaches this host from this machine may do everything (--auth)");
    } else if is_open {
        warn!("authentication is off, and other machines reach this host: they may do everything (--insecure)");
    } else if is_local || settings.tls.is_some() {
        info!("requests need a token (--auth)");
    } else {
        warn!(
            "requests need a token (--auth), which is sent as it is: give this host a certificate (--tls-cert), or put a proxy with TLS in front of it"
        );
    }
}

/// The settings of connections, as far as there are file descriptors for them beside those to Postgres. When the host stops, requests have half of
/// the time.
pub(super) fn of_clients(settings: &ServerSettings, connections_to_postgres: u64) -> ConnectionSettings {
    // One descriptor is the listener's.
    let others = connections_to_postgres + MAX_REFUSED as u64 + 1;
    let connections = &settings.http.connections;
    ConnectionSettings {
        max_client_connections: open_files::room_for(connections.max_client_connections, others),
        closing_timeout: settings.shutdown_timeout / 2,
        ..connections.clone()
    }
}

/// The connections to Postgres of a host with these settings.
pub(super) fn to_postgres(settings: &ServerSettings) -> u64 {
    u64::from(settings.max_connections) + u64::from(KEPT_CONNECTIONS)
}
