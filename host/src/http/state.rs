//! The state that the handlers share.

use std::{ops::Deref, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{sending::Sending, settings::HttpSettings, tenants::TenantName};
use crate::{
    access::Access, event_log::EventLog, modules::Modules, operations::Operations, outbox::Outbox, past::Past,
    personal_data::PersonalData, postgres::Database, queries::Queries,
};

/// A handle on the state that the handlers share. It is cloned several times for each request, so a clone costs one count.
#[derive(Clone, Debug)]
pub struct Api(Arc<ApiState>);

impl Deref for Api {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.0
    }
}

impl From<ApiState> for Api {
    fn from(parts: ApiState) -> Self {
        Self(Arc::new(parts))
    }
}

/// The state that the handlers share.
#[derive(Debug)]
pub struct ApiState {
    /// Whose log it is, if the host has several tenants.
    pub tenant: Option<TenantName>,
    /// Who may do what.
    pub access: Access,
    /// The log.
    pub log: EventLog,
    /// Uploaded modules.
    pub modules: Modules,
    /// What operators can do.
    pub operations: Operations,
    /// What readers can do.
    pub queries: Queries,
    /// Messages of reactors, and sinks.
    pub outbox: Outbox,
    /// The past of streams.
    pub past: Past,
    /// What is declared as personal data, and who is forgotten.
    pub personal_data: PersonalData,
    /// To check whether Postgres answers.
    pub database: Database,
    /// Settings.
    pub settings: Arc<HttpSettings>,
    /// The memory of answers that are being sent.
    pub sending: Sending,
    /// Ends the answers that follow, which never end by themselves, when the host stops.
    pub closing: CancellationToken,
}
