//! The hosts of several tenants in one process, behind one listener.
//!
//! Each starts and goes on by itself: one whose Postgres is away is tried again and again, and the others know nothing of it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::timeout_at,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::{
    listening::{Listening, of_clients, to_postgres},
    rooms::Rooms,
    settings::ServerSettings,
    start_error::StartError,
    tenant::Tenant,
    tenant_claims::Claims,
};
use crate::{
    event_log::which_database,
    http::{TenantGate, TenantName, Tenants, Way},
    postgres::Backoff,
};

/// Tenants whose hosts start at once: each brings a schema up to date and loads modules.
pub const STARTS_AT_ONCE: usize = 8;
/// The pauses between two tries to start the host of a tenant.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));

/// The running hosts of several tenants.
#[derive(Debug)]
pub struct TenantServer {
    listening: Listening,
    hosts: Vec<TenantHost>,
    /// Ends the starts of hosts with this value: the process could not end while threads wait for them.
    stop: DropGuard,
}

/// The host of a tenant.
#[derive(Debug)]
struct TenantHost {
    name: TenantName,
    /// Whether the first try to start it went well.
    first: Option<oneshot::Receiver<Result<(), StartError>>>,
    /// Ends with the rooms when they are started, or without them when they are not wanted any more.
    starting: JoinHandle<Option<Rooms>>,
}

/// What starts the host of a tenant.
struct Starter {
    tenant: Tenant,
    settings: ServerSettings,
    gate: TenantGate,
    claims: Arc<Claims>,
    turns: Arc<Semaphore>,
    closing: CancellationToken,
}

impl TenantServer {
    /// Takes the port, and begins to start the host of each tenant.
    ///
    /// # Errors
    /// [`StartError::Tls`], [`StartError::Listen`], [`StartError::Unprotected`], [`StartError::TooManyRequests`], [`StartError::IssuerOfTenants`],
    /// [`StartError::KeysOfTenants`]
    pub async fn bind(settings: ServerSettings, tenants: Vec<Tenant>) -> Result<Self, StartError> {
        if settings.access.jwt.is_some() {
            return Err(StartError::IssuerOfTenants);
        }
        if settings.personal_data_keys.is_some() {
            return Err(StartError::KeysOfTenants);
        }
        let count = tenants.len();
        let with_settings: Vec<_> = tenants
            .into_iter()
            .map(|tenant| {
                let own = tenant.settings(&settings, count);
                (tenant, own)
            })
            .collect();
        let connections = of_clients(&settings, with_settings.iter().map(|(_, own)| to_postgres(own)).sum());
        let max = connections.max_client_connections;
        let places = |tenant: &Tenant| tenant.limits.max_requests.unwrap_or((max / count.max(1)).max(1));
        let requests: usize = with_settings.iter().map(|(tenant, _)| places(tenant)).sum();
        if requests > max {
            return Err(StartError::TooManyRequests { requests, connections: max });
        }
        let gates = with_settings.iter().map(|(tenant, _)| TenantGate::new(tenant.name.clone(), places(tenant)));
        let gates: Vec<TenantGate> = gates.collect();
        let way = Way::Tenants(Tenants::new(gates.clone(), &settings.http, &settings.access));
        let listening = Listening::begin(&settings, way, connections).await?;
        let (claims, turns) = (Arc::new(Claims::default()), Arc::new(Semaphore::new(STARTS_AT_ONCE)));
        let stop = CancellationToken::new();
        let hosts = with_settings.into_iter().zip(gates).map(|((tenant, settings), gate)| {
            let name = tenant.name.clone();
            let (claims, turns, closing) = (Arc::clone(&claims), Arc::clone(&turns), listening.closing.clone());
            let starter = Starter { tenant, settings, gate, claims, turns, closing };
            let (tell, first) = oneshot::channel();
            let stop = stop.clone();
            // On a thread that waits for it: what starts a host is not `Send`, as the compiler sees it.
            let runtime = Handle::current();
            let start = move || runtime.block_on(stop.run_until_cancelled(starter.run(tell)));
            let starting = tokio::task::spawn_blocking(start);
            TenantHost { name, first: Some(first), starting }
        });
        let hosts = hosts.collect();
        Ok(Self { hosts, listening, stop: stop.drop_guard() })
    }

    /// Waits until it was tried to start the host of each tenant. Those that did not start are tried again.
    ///
    /// # Errors
    /// [`StartError::SameDatabase`]: whose events they are could not be told.
    pub async fn open(&mut self) -> Result<(), StartError> {
        let first = self.hosts.iter_mut().filter_map(|host| host.first.take());
        let tried = join_all(first).await;
        let ready = tried.iter().filter(|first| matches!(first, Ok(Ok(())))).count();
        for error in tried.into_iter().filter_map(|first| first.ok()?.err()) {
            if matches!(error, StartError::SameDatabase { .. }) {
                return Err(error);
            }
        }
        info!(address = %self.address(), tenants = self.hosts.len(), ready, "listening");
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

    /// Stops all of them at the same time, as one host stops. Returns what did not end within [`ServerSettings::shutdown_timeout`].
    pub async fn stop(self) -> Vec<String> {
        drop(self.stop);
        let closed = self.listening.close().await;
        let (work_by, by) = (closed.by(6), closed.by(7));
        let stops = self.hosts.into_iter().map(|TenantHost { name, starting, .. }| async move {
            let hung = match timeout_at(work_by, starting).await {
                Ok(Ok(Some(rooms))) => rooms.stop(work_by, by).await,
                Ok(_) => Vec::new(),
                Err(_) => vec!["its start"],
            };
            hung.into_iter().map(|what| format!("{what} of the tenant {name}")).collect::<Vec<_>>()
        });
        let of_tenants = join_all(stops).await;
        let hung: Vec<String> =
            closed.hung.iter().map(|what| (*what).to_owned()).chain(of_tenants.into_iter().flatten()).collect();
        closed.say(&hung);
        hung
    }
}

impl Starter {
    /// Starts the host, however often that has to be tried. `first` hears of the first try.
    async fn run(self, first: oneshot::Sender<Result<(), StartError>>) -> Rooms {
        let (name, mut first, mut said, mut pauses) = (&self.tenant.name, Some(first), None, PAUSES);
        loop {
            let began = Instant::now();
            let error = match self.start().await {
                Ok(rooms) => {
                    info!(tenant = %name, "the tenant is served");
                    let _ = first.take().map(|first| first.send(Ok(())));
                    return rooms;
                }
                Err(error) => error,
            };
            let text = error.to_string();
            // Where Postgres is, is for the log alone.
            self.gate.gate().say("it could not be started, and is tried again; its log says why");
            if said.as_ref() != Some(&text) {
                warn!(tenant = %name, after = ?began.elapsed(), "the tenant is not served, and is tried again: {text}");
                said = Some(text);
            }
            let _ = first.take().map(|first| first.send(Err(error)));
            tokio::time::sleep(pauses.next_pause()).await;
        }
    }

    async fn start(&self) -> Result<Rooms, StartError> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let Self { tenant, settings, gate, claims, closing, .. } = self;
        let waiting = gate.gate().clone();
        waiting.say("it connects to Postgres");
        let rooms = Rooms::start(tenant.database.clone(), settings, &move |step| waiting.say(step)).await?;
        let found = which_database(&rooms.database.lookups).await.map_err(StartError::Identity);
        if let Err(error) = found.and_then(|database| claims.claim(database, &tenant.name)) {
            // Until here it was one more host of that database, of which no request was answered.
            let by = tokio::time::Instant::now() + settings.shutdown_timeout;
            rooms.stop(by, by).await;
            return Err(error);
        }
        gate.gate().open(rooms.api_of(Some(tenant.name.clone()), settings.http.clone(), closing.clone()));
        Ok(rooms)
    }
}
