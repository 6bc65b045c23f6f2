//! Trying events again that a reactor could not handle.

use sqlx::PgConnection;

use crate::{
    event_log::Filter,
    modules::descriptors,
    operations::{Operations, error::OperateError},
    reactors::{self, Event, Reactor},
    read_model::Identifier,
    runtime::{Descriptor, widen_to_sources},
    subscriptions::{self, Redelivery},
};

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetriedReactor {
    /// Dead letters that stay set aside, because later events of their streams were handled.
    pub overtaken: u64,
    /// Dead letters that are tried after later events of other streams were handled.
    pub behind_others: u64,
}

impl Operations {
    /// Tries failed events again. A halted or failed reactor goes on at the event at which it stopped. Dead letters are handled by position, and set
    /// aside again if they fail again.
    ///
    /// # Errors
    /// There is no such reactor, it is paused, each dead letter is overtaken by later events, or Postgres fails.
    pub async fn retry_reactor(
        &self,
        name: &Identifier,
        redelivery: Redelivery,
    ) -> Result<RetriedReactor, OperateError> {
        let (mut transaction, locks) = self.begin().await?;
        let retried = locks.explain(async {
            let retried = retry(&mut transaction, name, redelivery).await?;
            transaction.commit().await?;
            Ok::<_, OperateError>(retried)
        });
        let retried = retried.await?;
        self.reactors_changed.notify_one();
        Ok(retried)
    }
}

async fn retry(
    connection: &mut PgConnection,
    name: &Identifier,
    redelivery: Redelivery,
) -> Result<RetriedReactor, OperateError> {
    let was = reactors::get(&mut *connection, name).await?.map(|reactor| reactor.work);
    // This takes the lease away and locks the subscription: its checkpoint and its dead letters do not change from here on.
    let cause = match redelivery {
        Redelivery::InOrder => "an operator asked for it",
        Redelivery::All => "an operator asked for it, out of order where later events were handled",
    };
    let reactor = reactors::change(connection, name, Event::Retried, cause).await?;
    let subscription = reactor.id.subscription();
    let all = subscriptions::count_dead_letters(connection, subscription).await?;
    let mut overtaken = 0;
    if redelivery == Redelivery::InOrder {
        let filter = log_filter(connection, &reactor).await?;
        let letters = subscriptions::overtaken(connection, subscription, &filter).await?;
        overtaken = letters.iter().map(|(_, letters)| letters).sum();
        if was == Some(reactors::Work::Running) && overtaken > 0 && overtaken == all {
            return Err(OperateError::ReactorOvertaken { reactor: name.clone(), letters: overtaken });
        }
    }
    subscriptions::begin_retry(connection, subscription, redelivery).await?;
    Ok(RetriedReactor { overtaken, behind_others: all - overtaken })
}

/// What a reactor reads from the log.
async fn log_filter(connection: &mut PgConnection, reactor: &Reactor) -> Result<Filter, sqlx::Error> {
    let mut modules = vec![(reactor.name.clone(), reactor.version)];
    modules.extend(reactor.upcasters.iter().cloned());
    let (mut filter, mut steps) = (Filter::default(), Vec::new());
    for descriptor in descriptors(connection, &modules).await? {
        match descriptor {
            Descriptor::Reactor(descriptor) => filter = descriptor.filter(&reactor.name),
            Descriptor::Upcaster(upcaster) => steps.extend(upcaster.steps),
            // Reactors are of reactors' modules and upcasters.
            Descriptor::Projection(_) => {}
        }
    }
    widen_to_sources(&mut filter, &steps);
    Ok(filter)
}
