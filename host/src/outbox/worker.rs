//! The worker of a sink: it claims keys whose messages are due, and sends several of them at once.

use std::{iter, sync::Arc};

use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    claim::{Claim, claim, release},
    deliver::{claim_lasts, deliver},
    intake::{Claimed, Intake},
    shared::Shared,
    sink_name::SinkName,
};

/// The worker of a sink on this host. A sink that does not answer takes no other worker's place.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) sink: SinkName,
    pub(super) intake: Intake,
    /// Keys that were claimed for it.
    pub(super) claimed: mpsc::UnboundedReceiver<Claimed>,
    pub(super) stop: CancellationToken,
}

impl Worker {
    /// Works until it is told to stop, and then until what is under way has ended. Dropped, it leaves that to whoever claims it next.
    pub(super) async fn run(mut self) {
        let mut sends: JoinSet<bool> = JoinSet::new();
        let (mut is_due, mut said) = (true, None);
        while !self.stop.is_cancelled() {
            if is_due {
                let permits: Vec<_> = iter::from_fn(|| self.intake.permits.clone().try_acquire_owned().ok()).collect();
                if !permits.is_empty() {
                    is_due = self.claim(permits, &mut sends, &mut said).await;
                    #[cfg(test)]
                    self.intake.looks.fetch_add(1, std::sync::atomic::Ordering::Release);
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.intake.wake.notified() => is_due = true,
                Some(claimed) = self.claimed.recv() => self.send(claimed, &mut sends),
                Some(ended) = sends.join_next(), if !sends.is_empty() => match ended {
                    Ok(is_left) => is_due |= is_left,
                    Err(error) if error.is_panic() => error!(sink = %self.sink, %error, "a delivery broke down; its message is sent again"),
                    Err(_) => {}
                },
            }
        }
        // What was claimed for it and is not sent yet is left to others.
        self.claimed.close();
        while let Some(Claimed { claim, .. }) = self.claimed.recv().await {
            self.give_back(&claim).await;
        }
        while sends.join_next().await.is_some() {}
        self.shared.sending.nats.forget(&self.sink).await;
    }

    async fn give_back(&self, claim: &Claim) {
        if let Err(error) = release(&self.shared.pool, claim).await {
            warn!(sink = %self.sink, %error, "a claim on messages is left to end");
        }
    }

    /// Begins to send the messages of a key.
    fn send(&self, Claimed { claim, first, began, permit }: Claimed, sends: &mut JoinSet<bool>) {
        let (shared, settings) = (Arc::clone(&self.shared), Arc::clone(&self.intake.settings.borrow()));
        sends.spawn(async move {
            let _permit = permit;
            deliver(&shared, &settings, claim, first, began).await
        });
    }

    /// Claims what is due, as much as there are permits, and begins to send it. Returns whether there may be more.
    async fn claim(
        &self,
        permits: Vec<OwnedSemaphorePermit>,
        sends: &mut JoinSet<bool>,
        said: &mut Option<String>,
    ) -> bool {
        let lasts = claim_lasts(&self.intake.settings.borrow());
        let began = Instant::now();
        match claim(&self.shared.pool, &self.sink, permits.len(), lasts).await {
            Ok(claimed) => {
                *said = None;
                let may_be_more = claimed.len() == permits.len();
                for ((claim, first), permit) in claimed.into_iter().zip(permits) {
                    self.send(Claimed { claim, first, began, permit }, sends);
                }
                may_be_more
            }
            Err(error) => {
                let error = error.to_string();
                if said.as_ref() != Some(&error) {
                    warn!(sink = %self.sink, error, "cannot look for messages to send, trying again");
                    *said = Some(error);
                }
                sleep(self.shared.settings.look_every).await;
                true
            }
        }
    }
}
