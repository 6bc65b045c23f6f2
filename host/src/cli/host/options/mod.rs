//! The options of a host, a struct for each concern.
//!
//! Each default is that of the module whose setting it is, so it is written once.

mod access;
mod appends;
mod cache;
mod connections;
mod events;
mod http;
mod listen;
mod modules;
mod operations;
mod outbox;
mod past;
mod past_builds;
mod personal_data;
mod projector;
mod range;
mod seconds;
mod tenants;

use std::{path::Path, time::Duration};

use clap::Args;

use self::{
    access::AccessOptions, appends::AppendOptions, cache::CacheOptions, events::EventOptions, http::HttpOptions,
    modules::ModuleOptions, operations::OperationsOptions, outbox::OutboxOptions, past::PastOptions,
    past_builds::PastBuildOptions, personal_data::PersonalDataOptions, projector::ProjectorOptions,
    tenants::TenantOptions,
};
pub(in crate::cli) use self::{
    connections::ConnectionOptions,
    listen::{ListenOptions, listen_address},
    seconds::Seconds,
};
use super::this_program;
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    server::ServerSettings,
};

/// The options of a host.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct HostOptions {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    pub(super) database: DatabaseOptions,
    #[command(flatten)]
    tenants: TenantOptions,
    #[command(flatten)]
    connections: ConnectionOptions,
    #[command(flatten)]
    pub(super) data_dir: DataDirOptions,
    #[command(flatten)]
    events: EventOptions,
    #[command(flatten)]
    appends: AppendOptions,
    #[command(flatten)]
    modules: ModuleOptions,
    #[command(flatten)]
    projector: ProjectorOptions,
    #[command(flatten)]
    operations: OperationsOptions,
    #[command(flatten)]
    outbox: OutboxOptions,
    #[command(flatten)]
    past: PastOptions,
    #[command(flatten)]
    past_builds: PastBuildOptions,
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    personal_data: PersonalDataOptions,
}

impl HostOptions {
    /// The command that opens psql on the database of the host.
    pub(in crate::cli) fn psql(&self) -> String {
        match (&self.database.database_url, &self.data_dir.data_dir) {
            (Some(_), _) => "`gnomon psql` with the same DATABASE_URL".to_owned(),
            (None, Some(folder)) => format!("`gnomon psql --data-dir {}`", folder.display()),
            (None, None) => "`gnomon psql`".to_owned(),
        }
    }

    /// The file that names the tenants, if the host has several.
    pub(in crate::cli) fn tenants(&self) -> Option<&Path> {
        self.tenants.tenants.as_deref()
    }

    /// How long the host may take to stop.
    pub(in crate::cli) fn shutdown_timeout(&self) -> Duration {
        self.listen.shutdown_timeout.0
    }

    /// The settings of a host. Those that have no option keep their defaults.
    pub(super) fn settings(&self) -> ServerSettings {
        let Self { listen, http, database: _, connections, data_dir, events, appends, modules, projector, .. } = self;
        let Self { access, operations, outbox, past, past_builds, cache, personal_data, .. } = self;
        ServerSettings {
            listen: listen.listen,
            tls: listen.tls(),
            max_connections: connections.max_connections,
            connect_timeout: connections.connect_timeout(),
            shutdown_timeout: self.shutdown_timeout(),
            cache: Some(data_dir.folder().join("compiled")),
            compiler: Some(this_program()),
            compile_turns: ServerSettings::default().compile_turns,
            log: appends.settings(events),
            limits: modules.limits(events),
            projector: projector.settings(past_builds.limits()),
            reactors: projector.reactors(),
            operations: operations.settings(past_builds.limits()),
            outbox: outbox.settings(),
            past: past.settings(),
            answers: cache.settings(),
            http: http.settings(),
            access: access.settings(),
            personal_data_keys: personal_data.keys(),
        }
    }
}

#[cfg(test)]
mod tests;
