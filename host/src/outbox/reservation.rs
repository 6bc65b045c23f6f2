//! Messages that this host sends as soon as they are committed: their keys are claimed by the statement that adds them, so nobody has to look for
//! them, which would be a commit more before they are sent.
//!
//! Only a few messages go this way, to workers that are not busy. All others are found by their workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sqlx::PgPool;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::debug;
use uuid::Uuid;

use super::{
    claim::{self, Claim, ClaimedKey},
    deliver::claim_lasts,
    intake::{AT_ONCE, Claimed, Intake, Intakes},
    message::{Message, MessageKind, NewMessage},
    sink_name::SinkName,
};

/// Permits of workers for the keys of messages that are about to be committed.
#[derive(Debug)]
pub(crate) struct Reservation {
    /// Under which the keys are claimed.
    pub(super) claim: Uuid,
    began: Instant,
    of: BTreeMap<SinkName, Reserved>,
    /// All sinks of the messages.
    sinks: BTreeSet<SinkName>,
}

/// Permits of the worker of one sink, one for each key.
#[derive(Debug)]
struct Reserved {
    intake: Intake,
    permits: Vec<OwnedSemaphorePermit>,
    lasts: Duration,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.permits.is_empty() {
            self.permits.clear();
            // The worker may have passed something over, since it had no permit.
            self.intake.wake.notify_one();
        }
    }
}

impl Reservation {
    /// Reserves permits of workers that have enough of them.
    pub(super) fn of(intakes: &Intakes, messages: &[NewMessage]) -> Self {
        let (claim, began) = (Uuid::new_v4(), Instant::now());
        let mut keys: BTreeMap<&SinkName, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for message in messages {
            keys.entry(&message.sink).or_default().insert((&message.reactor, &message.key));
        }
        let sinks = keys.keys().map(|sink| (*sink).clone()).collect();
        let reserve = |(sink, keys): (&SinkName, BTreeSet<_>)| {
            let intake = intakes.of(sink)?;
            let permits: Vec<_> = keys.iter().map_while(|_| intake.permits.clone().try_acquire_owned().ok()).collect();
            let (has_all, lasts) = (permits.len() == keys.len(), claim_lasts(&intake.settings.borrow()));
            let reserved = Reserved { permits, intake, lasts };
            has_all.then(|| (sink.clone(), reserved))
        };
        let is_few = messages.len() <= AT_ONCE;
        let of = keys.into_iter().filter(|_| is_few).filter_map(reserve).collect();
        Self { claim, began, of, sinks }
    }

    /// For how many seconds the keys of a sink are claimed; `None` if they are not.
    pub(super) fn seconds(&self, sink: &SinkName) -> Option<f64> {
        self.of.get(sink).map(|reserved| reserved.lasts.as_secs_f64())
    }

    /// The messages are committed: hands those whose keys were claimed to their workers, and wakes the workers of the others.
    pub(super) async fn committed(
        mut self,
        pool: &PgPool,
        intakes: &Intakes,
        claimed: Vec<ClaimedKey>,
        messages: &[NewMessage],
    ) {
        for ClaimedKey { sink, reactor, key, first } in claimed {
            let Some(reserved) = self.of.get_mut(&sink) else { continue };
            let claim = Claim { sink, reactor, key, id: self.claim, lasts: reserved.lasts };
            let found =
                first.and_then(|(number, id)| Some(sent(number, messages.iter().find(|message| message.id == id)?)));
            let (Some(first), Some(permit)) = (found, reserved.permits.pop()) else {
                give_back(pool, &claim).await;
                intakes.wake(&claim.sink);
                continue;
            };
            let claimed = Claimed { claim, first, began: self.began, permit };
            if let Err(claimed) = reserved.intake.hand(claimed) {
                give_back(pool, &claimed.claim).await;
                intakes.wake(&claimed.claim.sink);
            }
        }
        // What is left behind a key that somebody else has claimed, or that waits already, has its turn there.
        let is_handed = |sink: &SinkName| self.of.get(sink).is_some_and(|reserved| reserved.permits.is_empty());
        self.sinks.iter().filter(|sink| !is_handed(sink)).for_each(|sink| intakes.wake(sink));
    }
}

/// A claim that nobody uses would keep its key until it ends.
async fn give_back(pool: &PgPool, claim: &Claim) {
    if let Err(error) = claim::release(pool, claim).await {
        debug!(sink = %claim.sink, %error, "a claim on messages is left to end");
    }
}

/// A message that was added under a number, to be sent.
fn sent(number: i64, message: &NewMessage) -> Message {
    Message {
        number,
        id: message.id,
        reactor: message.reactor.clone(),
        key: message.key.clone(),
        call: match &message.kind {
            MessageKind::Publish => None,
            MessageKind::Call { name } => Some(name.clone()),
        },
        position: message.position,
        message_type: message.message_type.clone(),
        subject: message.subject.clone(),
        data: message.data.as_str().to_owned(),
        time: message.time.instant(),
        tries: 0,
        traceparent: message.traceparent.clone(),
    }
}
