//! A running host: connects the rooms.

mod open_files;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::{
    access::{Access, AccessSettings, StartIssuerError},
    event_log::{EventLog, EventLogSettings, SummaryKeeper},
    http::{
        Api, ApiState, ConnectionSettings, Gate, HttpSettings, MAX_REFUSED, Sending, Tls, TlsError, TlsFiles, serve,
    },
    modules::Modules,
    operations::{ForgettingKeeper, Operations, OperationsSettings},
    outbox::{Outbox, OutboxSettings, StartOutboxError},
    past::{Past, PastSettings},
    personal_data::{KeyStoreError, KeysAt, PersonalData, StartPersonalDataError},
    postgres::{Backoff, ConnectError, Database, MigrateError, Waiting, is_transient, migrate},
    projector::{Projector, ProjectorSettings},
    queries::{CacheSettings, Queries},
    reactor_engine::{ReactorEngine, ReactorSettings},
    runtime::{Runtime, RuntimeError, RuntimeLimits, RuntimeSettings},
};

/// The settings of a host.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The certificate of the listener and its key; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Connections to Postgres, at most.
    pub max_connections: u32,
    /// How long to wait for a Postgres that does not answer yet.
    pub connect_timeout: Duration,
    /// How long the host may take to stop, whatever does not answer.
    pub shutdown_timeout: Duration,
    /// The folder of the compiled modules; `None` keeps none.
    pub cache: Option<PathBuf>,
    /// The program `gnomon`, of which a process compiles each module; `None` compiles them in the host's own process, where only the compile
    /// budget limits what that takes. See [`RuntimeSettings::compiler`].
    pub compiler: Option<PathBuf>,
    /// Settings of the log.
    pub log: EventLogSettings,
    /// Limits of modules.
    pub limits: RuntimeLimits,
    /// Settings of the projector.
    pub projector: ProjectorSettings,
    /// Settings of the engine of reactors.
    pub reactors: ReactorSettings,
    /// Settings of operations.
    pub operations: OperationsSettings,
    /// Settings of the outbox.
    pub outbox: OutboxSettings,
    /// Settings of the past of streams.
    pub past: PastSettings,
    /// Where answers of read models are kept.
    pub answers: CacheSettings,
    /// Settings of the HTTP API.
    pub http: HttpSettings,
    /// Who may do what.
    pub access: AccessSettings,
    /// Where the keys of personal data are; `None` if there is none.
    pub personal_data_keys: Option<KeysAt>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            tls: None,
            max_connections: 20,
            connect_timeout: Duration::from_secs(30),
            // Kubernetes kills after 30 s.
            shutdown_timeout: Duration::from_secs(20),
            cache: None,
            compiler: None,
            log: EventLogSettings::default(),
            limits: RuntimeLimits::default(),
            projector: ProjectorSettings::default(),
            reactors: ReactorSettings::default(),
            operations: OperationsSettings::default(),
            outbox: OutboxSettings::default(),
            past: PastSettings::default(),
            answers: CacheSettings::default(),
            http: HttpSettings::default(),
            access: AccessSettings::default(),
            personal_data_keys: None,
        }
    }
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Postgres cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its schema cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The WebAssembly engine or its cache cannot be used.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No messages can be sent.
    #[error(transparent)]
    Outbox(#[from] StartOutboxError),
    /// The keys of personal data cannot be used.
    #[error(transparent)]
    PersonalData(#[from] StartPersonalDataError),
    /// Other machines could do everything.
    #[error(
        "a host that listens on {address} is reached by other machines, and this one would let each of them do everything; start it with --auth \
         tokens (GNOMON_AUTH), and make a first token with `gnomon tokens create`, or let it listen on 127.0.0.1. Behind a proxy that \
         authenticates, or in a network that you trust, --insecure (GNOMON_INSECURE) starts it as it is"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// An issuer would say in vain who makes a request.
    #[error(
        "with --jwt-issuer the host takes JWTs of that issuer, but it asks nobody who they are; start it with --auth tokens (GNOMON_AUTH) as well"
    )]
    IssuerWithoutAuth,
    /// The issuer of JWTs cannot be used.
    #[error(transparent)]
    Issuer(#[from] StartIssuerError),
    /// The listener has no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is in use, or not one of this machine.
    #[error("cannot listen on {address}: {error}; perhaps another host does; choose another address with --listen, such as {}", next(*address))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        error: std::io::Error,
    },
}

/// The next port, for a hint.
fn next(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(7070))
}

/// The rooms of a host, connected, without the listener in front of them. Tests start hosts with it, too.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(crate) database: Database,
    pub(crate) log: EventLog,
    pub(crate) modules: Modules,
    pub(crate) projector: Projector,
    pub(crate) reactors: ReactorEngine,
    pub(crate) operations: Operations,
    pub(crate) queries: Queries,
    pub(crate) outbox: Outbox,
    /// Dropped, it ends.
    summary: SummaryKeeper,
    /// The same.
    forgetting: ForgettingKeeper,
    pub(crate) personal_data: PersonalData,
    pub(crate) past: Past,
    pub(crate) access: Access,
}

impl Rooms {
    /// Brings the schema of the database up to date, opens the connections that the host keeps, and starts to work on the builds.
    /// `waiting` hears what takes long.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn start(
        database: PgConnectOptions,
        settings: &ServerSettings,
        waiting: Waiting<'_>,
    ) -> Result<Self, StartError> {
        // First, since it needs no database.
        let (cache, compiler) = (settings.cache.clone(), settings.compiler.clone());
        let runtime = Runtime::start(RuntimeSettings { limits: settings.limits, cache, compiler })?;
        // Each step has the whole time: the schema's change between them may take longer.
        let timeout = settings.connect_timeout;
        let database = Database::connect_saying(database, settings.max_connections, timeout, waiting).await?;
        waiting("the schema of the database is brought up to date".to_owned());
        migrate(&database.lookups).await?;
        waiting("the keys of personal data are looked for".to_owned());
        let personal_data = start_personal_data(&database, settings).await?;
        let open_log =
            async || EventLog::open_with(database.lookups.clone(), settings.log, personal_data.clone()).await;
        let log = database.retry(timeout, waiting, open_log).await?;
        let modules = Modules::new(database.lookups.clone(), runtime);
        modules.sweep_code().await;
        let start_projector =
            async || Projector::start(&database, log.clone(), modules.clone(), settings.projector).await;
        let projector = database.retry(timeout, waiting, start_projector).await?;
        let outbox = Outbox::start(database.lookups.clone(), log.clone(), settings.outbox.clone())?;
        let start_reactors = async || {
            let (log, modules, outbox) = (log.clone(), modules.clone(), outbox.clone());
            ReactorEngine::start(&database, log, modules, outbox, projector.host(), settings.reactors)
        };
        let reactors = database.retry(timeout, waiting, start_reactors).await?;
        let operations = Operations::new(&database, modules.clone(), projector.committed(), settings.operations)
            .waking_reactors(reactors.changed());
        let (committed, awaited) = (projector.committed(), projector.awaited());
        let queries = Queries::new(&database, log.restores(), committed, awaited, &settings.answers);
        let summary = log.keep_summary();
        let past = Past::new(&database, modules.clone(), settings.past);
        let access = Access::start(database.lookups.clone(), settings.access.clone())?;
        let forgetting = operations.keep_forgetting(personal_data.clone());
        Ok(Self {
            database,
            log,
            modules,
            projector,
            reactors,
            operations,
            queries,
            outbox,
            summary,
            forgetting,
            personal_data,
            past,
            access,
        })
    }

    /// What the HTTP API needs of them. It closes answers that follow the log when `closing` is cancelled.
    pub(crate) fn api(&self, settings: HttpSettings, closing: CancellationToken) -> Api {
        Api::from(ApiState {
            access: self.access.clone(),
            log: self.log.clone(),
            modules: self.modules.clone(),
            operations: self.operations.clone(),
            queries: self.queries.clone(),
            outbox: self.outbox.clone(),
            past: self.past.clone(),
            personal_data: self.personal_data.clone(),
            database: self.database.clone(),
            sending: Sending::new(&settings),
            settings: settings.into(),
            closing,
        })
    }
}

/// A running host.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    settings: ServerSettings,
    gate: Gate,
    /// `None` before [`Server::open`].
    rooms: Option<Rooms>,
    closing: CancellationToken,
    serving: JoinHandle<()>,
    /// Ends the listener with this value.
    _closes: DropGuard,
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
        let (gate, closing) = (Gate::closed("it has just begun"), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, tls, gate.clone(), connections(&settings), closing.clone()));
        info!(%address, "starting");
        say_who_may_come(&settings, address);
        let closes = closing.clone().drop_guard();
        Ok(Self { address, settings, gate, rooms: None, closing, serving, _closes: closes })
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
        self.gate.open(rooms.api(self.settings.http.clone(), self.closing.clone()));
        self.rooms = Some(rooms);
        info!(address = %self.address, "listening");
        Ok(())
    }

    /// The URL under which this machine reaches the host.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The address that the host listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the listener fails, and returns its error.
    pub async fn failed(&mut self) -> std::io::Error {
        match (&mut self.serving).await {
            Ok(()) => std::io::Error::other("the listener was closed"),
            Err(error) => std::io::Error::other(error),
        }
    }

    /// Stops: accepts no new requests, answers the current ones, finishes commits, releases leases. Returns what did not end within
    /// [`ServerSettings::shutdown_timeout`], each step of which has its part; that is left as it is.
    pub async fn stop(self) -> Vec<&'static str> {
        let (began, timeout) = (Instant::now(), self.settings.shutdown_timeout);
        let by = |eighths| began + timeout * eighths / 8;
        let mut hung = Vec::new();
        self.closing.cancel();
        // Ends also with a client that never finishes its request: [`connections`].
        if timeout_at(by(5), self.serving).await.is_err() {
            hung.push("the requests under way");
        }
        if let Some(rooms) = self.rooms {
            drop((rooms.summary, rooms.forgetting));
            // The projector last: its session shows that the host lives.
            if timeout_at(by(6), rooms.reactors.stop()).await.is_err() {
                hung.push("the work on reactors");
            }
            if timeout_at(by(6), rooms.projector.stop()).await.is_err() {
                hung.push("the work on builds");
            }
            if timeout_at(by(6), rooms.outbox.stop()).await.is_err() {
                hung.push("messages to sinks");
            }
            if timeout_at(by(7), rooms.database.close()).await.is_err() {
                hung.push("the connections to Postgres");
            }
        }
        if !hung.is_empty() {
            tracing::warn!("not ended within {} s (--shutdown-timeout): {}", timeout.as_secs_f64(), hung.join(", "));
        }
        hung
    }
}

/// Opens the store of the keys. Like Postgres, it may not be there yet.
async fn start_personal_data(
    database: &Database,
    settings: &ServerSettings,
) -> Result<PersonalData, StartPersonalDataError> {
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let began = Instant::now();
    loop {
        let started = PersonalData::start(database.lookups.clone(), settings.personal_data_keys.as_ref()).await;
        let passes = match &started {
            Err(
                StartPersonalDataError::Store(KeyStoreError::Postgres(error)) | StartPersonalDataError::Postgres(error),
            ) => is_transient(error),
            _ => false,
        };
        if !passes || began.elapsed() >= settings.connect_timeout {
            return started;
        }
        tokio::time::sleep(backoff.next_pause()).await;
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

/// The settings of connections, as far as there are file descriptors for them. When the host stops, requests have half of the time.
fn connections(settings: &ServerSettings) -> ConnectionSettings {
    // Four connections to Postgres are beside the others; one descriptor is the listener's.
    let others = u64::from(settings.max_connections) + 4 + MAX_REFUSED as u64 + 1;
    let connections = &settings.http.connections;
    ConnectionSettings {
        max_client_connections: open_files::room_for(connections.max_client_connections, others),
        closing_timeout: settings.shutdown_timeout / 2,
        ..connections.clone()
    }
}

#[cfg(test)]
mod start_tests;
#[cfg(test)]
pub(crate) mod tests;
