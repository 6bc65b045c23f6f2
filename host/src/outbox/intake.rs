//! The workers of sinks, as those see them who have messages for them.

#[cfg(test)]
use std::sync::atomic::AtomicUsize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::Instant,
};

use super::{claim::Claim, message::Message, sink::SinkSettings, sink_name::SinkName};

/// Keys of a sink whose messages a host sends at once.
pub(super) const AT_ONCE: usize = 16;

/// What the worker of a sink is told.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    /// Says that messages may be due.
    pub(super) wake: Arc<Notify>,
    /// A permit for each key that may be sent at once.
    pub(super) permits: Arc<Semaphore>,
    /// Keys that were claimed for the worker, each with a permit: so no more wait here than there are permits.
    claimed: mpsc::UnboundedSender<Claimed>,
    pub(super) settings: watch::Receiver<Arc<SinkSettings>>,
    /// How often the worker has looked for messages; meanwhile it has all permits that are free.
    #[cfg(test)]
    pub(super) looks: Arc<AtomicUsize>,
}

/// A key that is claimed, with its first message.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) claim: Claim,
    pub(super) first: Message,
    /// Before it was claimed.
    pub(super) began: Instant,
    pub(super) permit: OwnedSemaphorePermit,
}

impl Intake {
    /// That of a new worker, which gets what it receives.
    pub(super) fn new(settings: watch::Receiver<Arc<SinkSettings>>) -> (Self, mpsc::UnboundedReceiver<Claimed>) {
        let (claimed, receiver) = mpsc::unbounded_channel();
        let (wake, permits) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(AT_ONCE)));
        let intake = Self {
            wake,
            permits,
            claimed,
            settings,
            #[cfg(test)]
            looks: Arc::default(),
        };
        (intake, receiver)
    }

    /// Hands a key to the worker; gives it back if the worker has ended.
    pub(super) fn hand(&self, claimed: Claimed) -> Result<(), Box<Claimed>> {
        self.claimed.send(claimed).map_err(|mpsc::error::SendError(claimed)| Box::new(claimed))
    }
}

/// The workers of this host. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub(super) struct Intakes(Arc<Mutex<HashMap<SinkName, Intake>>>);

impl Intakes {
    /// Wakes the worker of a sink, if this host has one.
    pub(super) fn wake(&self, sink: &SinkName) {
        if let Some(intake) = self.of(sink) {
            intake.wake.notify_one();
        }
    }

    /// That of a sink, if this host has a worker for it.
    pub(super) fn of(&self, sink: &SinkName) -> Option<Intake> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sink).cloned()
    }

    pub(super) fn set(&self, sink: &SinkName, intake: Option<Intake>) {
        let mut intakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match intake {
            Some(intake) => intakes.insert(sink.clone(), intake),
            None => intakes.remove(sink),
        };
    }
}
