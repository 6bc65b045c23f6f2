//! Letting versions of reactors work, in the transaction of a deployment.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::{
    builds::{PinnedUpcaster, names_of},
    event_log::Position,
    modules::ModuleVersion,
    operations::error::OperateError,
    reactors::{self, Deployed},
    read_model::Identifier,
    runtime::ReactorModule,
};

/// A reactor that was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedReactor {
    /// Its name.
    pub name: Identifier,
    /// The version that works.
    pub version: ModuleVersion,
    /// What the deployment has done.
    pub deployed: Deployed,
}

/// Lets versions of reactors work, by name, in the transaction of a deployment.
pub(in crate::operations) async fn activate(
    connection: &mut PgConnection,
    releases: &BTreeMap<&Identifier, (ModuleVersion, &ReactorModule, Option<Position>)>,
    upcasters: &[PinnedUpcaster],
) -> Result<Vec<DeployedReactor>, OperateError> {
    let upcasters = names_of(upcasters);
    let mut done = Vec::with_capacity(releases.len());
    for (name, (version, module, from)) in releases {
        let tables = &module.descriptor().tables;
        let release = reactors::Release { name, version: *version, tables, upcasters: &upcasters, from: *from };
        let deployed = reactors::deploy(connection, release).await?;
        done.push(DeployedReactor { name: (*name).clone(), version: *version, deployed });
    }
    Ok(done)
}
