//! The rooms of a host, connected.

use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{personal_data::start_personal_data, settings::ServerSettings, start_error::StartError};
use crate::{
    access::Access,
    event_log::{EventLog, SummaryKeeper},
    http::{Api, ApiState, HttpSettings, Sending, TenantName},
    modules::Modules,
    operations::{ForgettingKeeper, Operations},
    outbox::Outbox,
    past::Past,
    personal_data::PersonalData,
    postgres::{Database, Waiting, migrate},
    projector::Projector,
    queries::Queries,
    reactor_engine::ReactorEngine,
    runtime::{Runtime, RuntimeSettings},
};

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
    /// `waiting` hears what takes long. If it fails, nothing goes on.
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
        let begun = Self::begin(database.clone(), runtime, settings, waiting).await;
        if begun.is_err() {
            let _ = tokio::time::timeout(timeout, database.close()).await;
        }
        begun
    }

    async fn begin(
        database: Database,
        runtime: Runtime,
        settings: &ServerSettings,
        waiting: Waiting<'_>,
    ) -> Result<Self, StartError> {
        let timeout = settings.connect_timeout;
        waiting("the schema of the database is brought up to date".to_owned());
        migrate(&database.lookups).await?;
        waiting("the keys of personal data are looked for".to_owned());
        let personal_data = start_personal_data(&database, settings).await?;
        // Before what has to be stopped when something fails.
        let access = Access::start(database.lookups.clone(), settings.access.clone())?;
        let open_log =
            async || EventLog::open_with(database.lookups.clone(), settings.log, personal_data.clone()).await;
        let log = database.retry(timeout, waiting, open_log).await?;
        let modules = Modules::new(database.lookups.clone(), runtime, settings.compile_turns.clone());
        modules.sweep_code().await;
        let start_projector =
            async || Projector::start(&database, log.clone(), modules.clone(), settings.projector).await;
        let projector = database.retry(timeout, waiting, start_projector).await?;
        let outbox = match Outbox::start(database.lookups.clone(), log.clone(), settings.outbox.clone()) {
            Ok(outbox) => outbox,
            Err(error) => {
                projector.stop().await;
                return Err(error.into());
            }
        };
        let start_reactors = async || {
            let (log, modules, outbox) = (log.clone(), modules.clone(), outbox.clone());
            ReactorEngine::start(&database, log, modules, outbox, projector.host(), settings.reactors)
        };
        let reactors = match database.retry(timeout, waiting, start_reactors).await {
            Ok(reactors) => reactors,
            Err(error) => {
                tokio::join!(projector.stop(), outbox.stop());
                return Err(error.into());
            }
        };
        let operations = Operations::new(&database, modules.clone(), projector.committed(), settings.operations)
            .waking_reactors(reactors.changed());
        let (committed, awaited) = (projector.committed(), projector.awaited());
        let queries = Queries::new(&database, log.restores(), committed, awaited, &settings.answers);
        let summary = log.keep_summary();
        let past = Past::new(&database, modules.clone(), settings.past);
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
        self.api_of(None, settings, closing)
    }

    /// The same for a tenant.
    pub(crate) fn api_of(&self, tenant: Option<TenantName>, settings: HttpSettings, closing: CancellationToken) -> Api {
        Api::from(ApiState {
            tenant,
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

    /// Finishes commits, releases leases, and closes the connections to Postgres. Returns what does not end in time: the work ends by the first
    /// instant, the connections by the second.
    pub(super) async fn stop(self, work_by: Instant, by: Instant) -> Vec<&'static str> {
        let mut hung = Vec::new();
        drop((self.summary, self.forgetting));
        // The projector last: its session shows that the host lives.
        if timeout_at(work_by, self.reactors.stop()).await.is_err() {
            hung.push("the work on reactors");
        }
        if timeout_at(work_by, self.projector.stop()).await.is_err() {
            hung.push("the work on builds");
        }
        if timeout_at(work_by, self.outbox.stop()).await.is_err() {
            hung.push("messages to sinks");
        }
        if timeout_at(by, self.database.close()).await.is_err() {
            hung.push("the connections to Postgres");
        }
        hung
    }
}
