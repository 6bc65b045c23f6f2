//! Trying failed events again.

use sqlx::{Postgres, Transaction};

use super::{Operations, error::OperateError, log_filter::log_filter};
use crate::{
    builds::{BuildNumber, Changes, DefaultBuild, Event, pick},
    read_model::Identifier,
    runtime::Partition,
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
        let (transaction, locks) = self.begin().await?;
        locks.explain(self.retry_within(transaction, name, build, redelivery)).await
    }

    async fn retry_within(
        &self,
        transaction: Transaction<'static, Postgres>,
        name: &Identifier,
        build: Option<BuildNumber>,
        redelivery: Redelivery,
    ) -> Result<Retried, OperateError> {
        let mut changes = Changes::within(transaction, name).await?;
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
        let reads = log_filter(connection, &found).await?;
        let mut overtaken = 0;
        if redelivery == Redelivery::InOrder {
            let letters = subscriptions::overtaken(connection, subscription, &reads.filter).await?;
            overtaken = letters.iter().map(|(_, letters)| letters).sum();
            if found.state.is_running() && overtaken > 0 && overtaken == all {
                return Err(OperateError::Overtaken { projection: name.clone(), build, letters: overtaken });
            }
        }
        subscriptions::begin_retry(connection, subscription, redelivery).await?;
        // Where each row depends on one stream only, the order between streams makes no difference.
        let by_stream = reads.projection.partitioned_by == Some(Partition::Stream);
        let behind_others = if by_stream { 0 } else { all - overtaken };
        changes.commit().await?;
        Ok(Retried { build, overtaken, behind_others })
    }
}
