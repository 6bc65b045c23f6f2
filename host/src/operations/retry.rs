//! Trying again what failed.

use sqlx::{PgConnection, types::Json};

use super::{OperateError, Operations};
use crate::{
    builds::{Build, BuildId, Changes, Event, Meant, pick},
    event_log::Filter,
    read_model::Identifier,
    runtime::Descriptor,
    subscriptions::{self, Redelivery},
};

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// The build.
    pub build: BuildId,
    /// Dead letters that stay set aside, because later events of their streams were folded.
    pub overtaken: u64,
}

impl Operations {
    /// Tries again what failed, in the active build if none is named: a build that is halted or failed goes on at the event
    /// where it stopped; events that were set aside are folded in their order, and set aside again if they still fail.
    ///
    /// # Errors
    /// There is no such build, it is paused or retired, all that could be tried again is overtaken by later events, or Postgres
    /// fails.
    pub async fn retry(
        &self,
        name: &Identifier,
        build: Option<BuildId>,
        redelivery: Redelivery,
    ) -> Result<Retried, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let found = pick(name, &changes.builds().await?, build, Meant::ActiveOrNewest)?.clone();
        let (build, subscription) = (found.id, found.id.subscription());
        let cause = match redelivery {
            Redelivery::InOrder => "an operator asked for it",
            Redelivery::All => "an operator asked for it, out of order where later events were folded",
        };
        // From here on its checkpoint and its dead letters stand still.
        changes.apply(build, Event::Retried, cause).await?;
        let connection = changes.connection();
        let mut overtaken = 0;
        if redelivery == Redelivery::InOrder {
            let types = types_read(connection, &found).await?;
            let letters = subscriptions::overtaken(connection, subscription, &types).await?;
            overtaken = letters.iter().map(|(_, letters)| letters).sum();
            let all = subscriptions::count(connection, subscription).await?;
            if found.state.is_running() && overtaken > 0 && overtaken == all {
                return Err(OperateError::Overtaken { projection: name.clone(), build, letters: overtaken });
            }
        }
        subscriptions::begin_retry(connection, subscription, redelivery).await?;
        changes.commit().await?;
        Ok(Retried { build, overtaken })
    }
}

/// The types of events that a build is given before its upcasters; none if it is given all.
async fn types_read(connection: &mut PgConnection, build: &Build) -> Result<Vec<String>, sqlx::Error> {
    let upcasters = build.upcasters.iter().map(|upcaster| (&upcaster.name, upcaster.version));
    let (names, versions): (Vec<&str>, Vec<i32>) = std::iter::once((&build.projection, build.version))
        .chain(upcasters)
        .map(|(name, version)| (name.as_str(), version.to_sql()))
        .unzip();
    let descriptors: Vec<Json<Descriptor>> = sqlx::query_scalar(
        "SELECT descriptor FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS wanted (module, version, place)
         JOIN gnomon.module_versions USING (module, version) ORDER BY place",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(connection)
    .await?;
    let mut filter = Filter::default();
    for descriptor in descriptors {
        match descriptor.0 {
            Descriptor::Projection(descriptor) => filter = descriptor.filter(),
            Descriptor::Upcaster(upcaster) => filter.widen(upcaster.steps.iter().map(|step| step.event_type.as_str())),
        }
    }
    Ok(filter.types)
}
