//! The outbox: messages that reactors send, the sinks that they go to, and their delivery.
//!
//! A message is enqueued in the transaction of the batch that it comes from ([`enqueue()`]), and delivered at least once, each time under the same id.
//! Messages of one reactor, sink and key are sent one after the other: who sends them has a claim on the key. Each host has a worker for
//! each sink, so that no sink waits for another one.

mod answers;
mod claim;
mod cloud_event;
mod deliver;
mod deliverer;
mod endpoint;
mod enqueue;
mod headers;
mod history;
mod intake;
mod jetstream;
mod measures;
mod message;
mod messages;
mod nats;
mod outcome;
mod pause;
mod post;
mod publication;
mod publisher;
mod reservation;
mod secret;
mod sending;
mod shared;
mod signature;
mod sink;
mod sink_name;
mod sink_url;
mod sinks;
mod subject;
mod webhook;
mod worker;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::{
    sync::{Mutex, Notify},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{
    answers::Call, claim::ClaimedKey, deliverer::Deliverer, intake::Intakes, outcome::Failure,
    reservation::Reservation, secret::Secrets, sending::Sending, shared::Shared,
};
use crate::event_log::EventLog;

pub(crate) use self::enqueue::{bind_parts, claimed_keys, enqueue_parts};
pub use self::{
    enqueue::enqueue,
    history::SinkHistoryEntry,
    measures::SinkReading,
    message::{Message, MessageKind, MessageState, MessageStateError, NewMessage},
    messages::{ListedMessage, MessageError, Wanted as WantedMessages},
    publication::Publication,
    publisher::{UNANSWERED, UNANSWERED_BYTES},
    secret::{SECRET_VARIABLES, SecretRef, SecretRefError},
    sending::StartOutboxError,
    shared::OutboxSettings,
    sink::{ContentMode, Sink, SinkError, SinkKind, SinkSettings},
    sink_name::{SinkName, SinkNameError},
    sink_url::{SinkUrl, SinkUrlError},
    sinks::{ChangeSinkError, MAX_SINKS},
    subject::{SubjectError, SubjectTemplate},
};

/// Failed messages of a sink that are sent again by one request.
const RETRIED_AT_ONCE: usize = 1000;

/// The outbox of a database, and this host's deliveries. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Outbox {
    shared: Arc<Shared>,
    intakes: Intakes,
    look: Arc<Notify>,
    stop: CancellationToken,
    deliverer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Outbox {
    /// Starts to deliver the messages of a database whose schema is up to date.
    ///
    /// # Errors
    /// There is no client for requests.
    pub fn start(pool: PgPool, log: EventLog, settings: OutboxSettings) -> Result<Self, StartOutboxError> {
        let secrets = Secrets::new(settings.secrets_dir.clone(), settings.secrets_in_variables);
        let sending = Sending::new(secrets, settings.max_call_answer_bytes)?;
        let shared = Arc::new(Shared { pool, log, settings, sending });
        let (intakes, look, stop) = (Intakes::default(), Arc::new(Notify::new()), CancellationToken::new());
        let deliverer = Deliverer {
            shared: Arc::clone(&shared),
            intakes: intakes.clone(),
            look: Arc::clone(&look),
            stop: stop.clone(),
        };
        let deliverer = Arc::new(Mutex::new(Some(tokio::spawn(deliverer.run()))));
        Ok(Self { shared, intakes, look, stop, deliverer })
    }

    /// Says that messages for a sink were committed, so that this host sends them at once. If nobody does, they are found a little later.
    pub fn wake(&self, sink: &SinkName) {
        self.intakes.wake(sink);
    }

    /// Reserves that this host sends messages as soon as they are committed, where its workers can. The statement that adds them claims their keys
    /// ([`enqueue_parts`]).
    pub(crate) fn reserve(&self, messages: &[NewMessage]) -> Reservation {
        Reservation::of(&self.intakes, messages)
    }

    /// The messages that a reservation is for are committed, and these keys were claimed: sends them, and wakes whoever sends the others.
    pub(crate) async fn committed(&self, reservation: Reservation, claimed: Vec<ClaimedKey>, messages: &[NewMessage]) {
        reservation.committed(&self.shared.pool, &self.intakes, claimed, messages).await;
    }

    /// Makes a sink, or changes it. Returns it, and whether it is new.
    ///
    /// # Errors
    /// There are too many, or Postgres fails.
    pub async fn put_sink(&self, name: &SinkName, settings: &SinkSettings) -> Result<(Sink, bool), ChangeSinkError> {
        let put = sinks::put(&self.shared.pool, name, settings).await?;
        self.look.notify_one();
        Ok(put)
    }

    /// All sinks, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn sinks(&self) -> Result<Vec<Sink>, sqlx::Error> {
        sinks::list(&self.shared.pool).await
    }

    /// A sink.
    ///
    /// # Errors
    /// There is none of this name, or Postgres fails.
    pub async fn sink(&self, name: &SinkName) -> Result<Sink, ChangeSinkError> {
        let found = sinks::get(&self.shared.pool, name).await?;
        found.ok_or_else(|| ChangeSinkError::Unknown(name.clone()))
    }

    /// The newest `limit` entries of a sink's history before entry `before`, newest first. Empty if there never was such a sink.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn sink_history(
        &self,
        name: &SinkName,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<SinkHistoryEntry>, sqlx::Error> {
        history::history(&self.shared.pool, name, before, limit).await
    }

    /// Removes a sink for which no messages wait.
    ///
    /// # Errors
    /// There is none of this name, messages wait for it, or Postgres fails.
    pub async fn delete_sink(&self, name: &SinkName) -> Result<(), ChangeSinkError> {
        sinks::delete(&self.shared.pool, name).await?;
        self.look.notify_one();
        Ok(())
    }

    /// A page of messages, the oldest first, without their data.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn messages(&self, wanted: &WantedMessages) -> Result<Vec<ListedMessage>, sqlx::Error> {
        messages::list(&self.shared.pool, wanted).await
    }

    /// A message, with its data.
    ///
    /// # Errors
    /// There is none of this id, or Postgres fails.
    pub async fn message(&self, id: Uuid) -> Result<ListedMessage, MessageError> {
        messages::get(&self.shared.pool, id).await
    }

    /// Sends a message now that has failed, or waits for its next try.
    ///
    /// # Errors
    /// There is none, it was delivered, or it is a call whose reactor was told that it has failed; or Postgres fails.
    pub async fn retry(&self, id: Uuid) -> Result<(), MessageError> {
        let sink = messages::retry(&self.shared.pool, id).await?;
        self.wake(&sink);
        Ok(())
    }

    /// Sends all messages of a sink now that wait for their next try, and a thousand of those that have failed. Returns how many of the latter.
    ///
    /// # Errors
    /// There is no such sink, or Postgres fails.
    pub async fn retry_sink(&self, name: &SinkName) -> Result<u64, ChangeSinkError> {
        self.sink(name).await?;
        let again = messages::retry_sink(&self.shared.pool, name, RETRIED_AT_ONCE).await?;
        self.wake(name);
        Ok(again)
    }

    /// Removes a message that is not to be sent. The reactor of a call that has no answer is told that it has failed.
    ///
    /// # Errors
    /// There is none, or the log or Postgres fails.
    pub async fn drop_message(&self, id: Uuid) -> Result<(), MessageError> {
        let found = self.message(id).await?;
        if let (MessageState::Pending, Some(name)) = (found.state, found.call.clone()) {
            // A try that is under way may have reached the sink.
            let (reason, tries) = match messages::is_being_sent(&self.shared.pool, id).await? {
                true => (
                    "an operator has dropped it while it was being sent, so it may have been carried out",
                    found.tries + 1,
                ),
                false => ("an operator has dropped it", found.tries),
            };
            let failure = Failure::of(reason);
            let call = Call { reactor: &found.reactor, message: id, name: &name };
            answers::append(&self.shared.log, call, Err((&failure, tries)))
                .await
                .map_err(|error| MessageError::Answer(id, error.to_string()))?;
        }
        messages::drop(&self.shared.pool, id).await
    }

    /// How many messages wait for each sink.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn readings(&self) -> Result<Vec<SinkReading>, sqlx::Error> {
        measures::read(&self.shared.pool).await
    }

    /// Stops: claims no more messages, and waits until those that are being sent have ended.
    pub async fn stop(&self) {
        self.stop.cancel();
        if let Some(deliverer) = self.deliverer.lock().await.take() {
            let _ = deliverer.await;
        }
    }
}

#[cfg(test)]
mod tests;
