//! Trying failed events again.

use sqlx::PgConnection;

use super::{Operations, error::OperateError};
use crate::{
    builds::{Build, BuildNumber, Changes, DefaultBuild, Event, names_of, pick},
    event_log::{Filter, NameFilter},
    modules::descriptors,
    read_model::Identifier,
    runtime::{Descriptor, Partition},
    subscriptions::{self, Redelivery},
};

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// The build.
    pub build: BuildNumber,
    /// Dead letters that stay set aside, because later events of their streams were folded.
    pub overtaken: u64,
    /// Dead letters that are tried after later events of other streams were folded, where each row may depend on several streams.
    pub behind_others: u64,
}

impl Operations {
    /// Tries failed events again, in the active build if none is named. A halted or failed build goes on at the event at which it
    /// stopped. Dead letters are folded by position, and set aside again if they fail again.
    ///
    /// # Errors
    /// There is no such build, it is paused or retired, each dead letter is overtaken by later events, or Postgres fails.
    pub async fn retry(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
        redelivery: Redelivery,
    ) -> Result<Retried, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let found = pick(name, &changes.builds().await?, build, DefaultBuild::ActiveOrNewest)?.clone();
        let (build, subscription) = (found.number, found.id.subscription());
        let cause = match redelivery {
            Redelivery::InOrder => "an operator asked for it",
            Redelivery::All => "an operator asked for it, out of order where later events were folded",
        };
        // This takes the lease away and locks the subscription: its checkpoint and its dead letters do not change from here on.
        changes.apply(found.id, Event::Retried, cause).await?;
        let connection = changes.connection();
        let all = subscriptions::count_dead_letters(connection, subscription).await?;
        let mut overtaken = 0;
        if redelivery == Redelivery::InOrder {
            let types = types_read(connection, &found).await?;
            let letters = subscriptions::overtaken(connection, subscription, &types).await?;
            overtaken = letters.iter().map(|(_, letters)| letters).sum();
            if found.state.is_running() && overtaken > 0 && overtaken == all {
                return Err(OperateError::Overtaken { projection: name.clone(), build, letters: overtaken });
            }
        }
        subscriptions::begin_retry(connection, subscription, redelivery).await?;
        let behind_others = if by_stream(connection, &found).await? { 0 } else { all - overtaken };
        changes.commit().await?;
        Ok(Retried { build, overtaken, behind_others })
    }
}

/// The types of events that are read from the log for a build.
async fn types_read(connection: &mut PgConnection, build: &Build) -> Result<NameFilter, sqlx::Error> {
    let mut modules = vec![(build.projection.clone(), build.version)];
    modules.extend(names_of(&build.upcasters));
    let mut filter = Filter::default();
    for descriptor in descriptors(connection, &modules).await? {
        match descriptor {
            Descriptor::Projection(descriptor) => filter = descriptor.filter(),
            Descriptor::Upcaster(upcaster) => {
                filter.types.widen(upcaster.steps.iter().map(|step| step.event_type.as_str()))
            }
        }
    }
    Ok(filter.types)
}

/// Whether each row of a build depends on one stream only, so that the order between streams makes no difference.
async fn by_stream(connection: &mut PgConnection, build: &Build) -> Result<bool, sqlx::Error> {
    let descriptors = descriptors(connection, &[(build.projection.clone(), build.version)]).await?;
    let partitioned_by = descriptors.into_iter().find_map(|descriptor| match descriptor {
        Descriptor::Projection(descriptor) => descriptor.partitioned_by,
        Descriptor::Upcaster(_) => None,
    });
    Ok(partitioned_by == Some(Partition::Stream))
}
