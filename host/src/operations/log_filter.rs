//! What a build reads from the log.

use sqlx::PgConnection;

use crate::{
    builds::{Build, names_of},
    event_log::Filter,
    modules::descriptors,
    runtime::{Descriptor, ProjectionDescriptor, widen_to_sources},
};

/// What a build reads from the log.
#[derive(Clone, Debug)]
pub(super) struct LogFilter {
    /// The events, as the log has them: those that the projection wants, and those from which upcasters make them.
    pub(super) filter: Filter,
    /// What the projection declares.
    pub(super) projection: ProjectionDescriptor,
}

/// Looks up what a build reads from the log.
pub(super) async fn log_filter(connection: &mut PgConnection, build: &Build) -> Result<LogFilter, sqlx::Error> {
    let mut modules = vec![(build.projection.clone(), build.version)];
    modules.extend(names_of(&build.upcasters));
    let (mut projection, mut steps) = (None, Vec::new());
    for descriptor in descriptors(connection, &modules).await? {
        match descriptor {
            Descriptor::Projection(descriptor) => projection = Some(descriptor),
            Descriptor::Upcaster(upcaster) => steps.extend(upcaster.steps),
            // Builds are of projections and their upcasters.
            Descriptor::Reactor(_) => {}
        }
    }
    // Versions of modules are never deleted.
    let projection = projection.ok_or(sqlx::Error::RowNotFound)?;
    let mut filter = projection.filter();
    widen_to_sources(&mut filter, &steps);
    Ok(LogFilter { filter, projection })
}
