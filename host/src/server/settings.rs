//! The settings of a host.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{
    access::AccessSettings,
    event_log::EventLogSettings,
    http::{HttpSettings, TlsFiles},
    modules::CompileTurns,
    operations::OperationsSettings,
    outbox::OutboxSettings,
    past::PastSettings,
    personal_data::KeysAt,
    projector::ProjectorSettings,
    queries::CacheSettings,
    reactor_engine::ReactorSettings,
    runtime::RuntimeLimits,
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
    /// budget limits what that takes. See [`RuntimeSettings::compiler`](crate::runtime::RuntimeSettings::compiler).
    pub compiler: Option<PathBuf>,
    /// Turns at compiling modules. Hosts whose settings are clones of each other share them.
    pub compile_turns: CompileTurns,
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
            compile_turns: CompileTurns::default(),
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
