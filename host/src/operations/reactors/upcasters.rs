//! Reactors whose events other upcasters rewrite than before.

use sqlx::PgConnection;

use crate::{
    builds::names_of,
    modules::descriptors,
    operations::{error::OperateError, upcaster_change::UpcasterChange},
    reactors::{self, ChangeError},
    runtime::Descriptor,
};

/// Lets the events of each reactor that a change of upcasters concerns go through the upcasters that are active now, in the transaction of the
/// change. A reactor is never replayed: what it has handled stays handled, and what it reads from here on, dead letters that are tried again
/// included, it gets as the upcasters make it.
pub(in crate::operations) async fn follow_upcasters(
    connection: &mut PgConnection,
    change: &UpcasterChange,
) -> Result<(), OperateError> {
    if !change.rewrites_something() {
        return Ok(());
    }
    let upcasters = names_of(&change.active);
    // In the order of their subscriptions, as all who lock several. Nobody else does now: that takes the table of upcasters, which is locked.
    for reactor in reactors::all(&mut *connection).await? {
        if reactor.upcasters == upcasters {
            continue;
        }
        let found = descriptors(connection, &[(reactor.name.clone(), reactor.version)]).await?;
        let types = found.iter().find_map(|descriptor| match descriptor {
            Descriptor::Reactor(descriptor) => Some(descriptor.filter(&reactor.name).types),
            Descriptor::Projection(_) | Descriptor::Upcaster(_) => None,
        });
        if !types.is_some_and(|types| change.concerns(&types)) {
            continue;
        }
        match reactors::set_upcasters(connection, &reactor.name, &upcasters, &change.cause).await {
            // One that was deleted meanwhile reads nothing.
            Ok(()) | Err(ChangeError::NoReactor(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
