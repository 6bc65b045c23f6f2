//! The worker of a sink: it claims keys whose messages are due, and sends several of them at once.

use std::sync::Arc;

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    claim::claim,
    deliver::{claim_lasts, deliver},
    shared::Shared,
    sink::SinkSettings,
    sink_name::SinkName,
};

/// Keys of a sink whose messages a host sends at once.
const AT_ONCE: usize = 16;

/// The worker of a sink on this host. A sink that does not answer takes no other worker's place.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) sink: SinkName,
    pub(super) settings: watch::Receiver<Arc<SinkSettings>>,
    /// Says that messages may be due.
    pub(super) wake: Arc<Notify>,
    pub(super) stop: CancellationToken,
}

impl Worker {
    /// Works until it is told to stop, and then until what is under way has ended. Dropped, it leaves that to whoever claims it next.
    pub(super) async fn run(self) {
        let mut sends: JoinSet<bool> = JoinSet::new();
        let (mut is_due, mut said) = (true, None);
        while !self.stop.is_cancelled() {
            let free = AT_ONCE - sends.len();
            if is_due && free > 0 {
                is_due = self.claim(free, &mut sends, &mut said).await;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.wake.notified() => is_due = true,
                Some(ended) = sends.join_next(), if !sends.is_empty() => match ended {
                    Ok(is_left) => is_due |= is_left,
                    Err(error) if error.is_panic() => error!(sink = %self.sink, %error, "a delivery broke down; its message is sent again"),
                    Err(_) => {}
                },
            }
        }
        while sends.join_next().await.is_some() {}
        self.shared.sending.nats.forget(&self.sink).await;
    }

    /// Claims what is due and begins to send it. Returns whether there may be more.
    async fn claim(&self, free: usize, sends: &mut JoinSet<bool>, said: &mut Option<String>) -> bool {
        let settings = Arc::clone(&self.settings.borrow());
        let began = Instant::now();
        match claim(&self.shared.pool, &self.sink, free, claim_lasts(&settings)).await {
            Ok(claimed) => {
                *said = None;
                let is_full = claimed.len() == free;
                for (claim, first) in claimed {
                    let (shared, settings) = (Arc::clone(&self.shared), Arc::clone(&settings));
                    sends.spawn(async move { deliver(&shared, &settings, claim, first, began).await });
                }
                is_full
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
