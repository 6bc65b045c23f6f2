//! Passing over events that mean nothing to a consumer, without telling it of each.
//!
//! All of them change nothing but its checkpoint. So its feed keeps to itself how far it has come, for a while, and tells it at once when
//! somebody waits for a later position.

use std::{pin::Pin, time::Duration};

use tokio::{
    sync::watch,
    time::{Sleep, sleep},
};

use crate::event_log::Position;

/// How a feed may pass over events.
#[derive(Debug)]
pub(crate) struct PassingOver {
    /// For how long it may keep them to itself.
    longest: Duration,
    /// The position that somebody waits for.
    awaited: watch::Receiver<Position>,
    /// Whether the consumer allows it now.
    allowed: watch::Receiver<bool>,
    /// The position up to which the consumer was told.
    told: Position,
    /// When it has to be told of what was passed over; `None` if there is nothing.
    due: Option<Pin<Box<Sleep>>>,
}

impl PassingOver {
    /// Behind a position, and only while it is `allowed`.
    pub(super) fn behind(
        told: Position,
        longest: Duration,
        awaited: watch::Receiver<Position>,
        allowed: watch::Receiver<bool>,
    ) -> Self {
        Self { longest, awaited, allowed, told, due: None }
    }

    /// Passes over events, if the consumer need not be told of them now.
    pub(super) fn pass(&mut self) -> bool {
        let may = *self.allowed.borrow() && *self.awaited.borrow() <= self.told;
        if may && self.due.is_none() {
            self.due = Some(Box::pin(sleep(self.longest)));
        }
        may
    }

    /// Waits until the consumer has to be told of what was passed over; for ever if there is nothing.
    pub(super) async fn until_due(&mut self) {
        let Self { awaited, allowed, told, due: Some(due), .. } = self else { return std::future::pending().await };
        tokio::select! {
            () = due => {}
            _ = awaited.wait_for(|awaited| awaited > told) => {}
            _ = allowed.wait_for(|allowed| !allowed) => {}
        }
    }

    /// The consumer is told of all up to a position.
    pub(super) fn told(&mut self, to: Position) {
        (self.told, self.due) = (to, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    struct Consumer {
        awaited: watch::Sender<Position>,
        allowed: watch::Sender<bool>,
    }

    fn passing_over(longest: Duration) -> (Consumer, PassingOver) {
        let (awaited, allowed) = (watch::Sender::new(Position(0)), watch::Sender::new(true));
        let passing = PassingOver::behind(Position(5), longest, awaited.subscribe(), allowed.subscribe());
        (Consumer { awaited, allowed }, passing)
    }

    async fn is_due(passing: &mut PassingOver) -> bool {
        tokio::select! {
            biased;
            () = passing.until_due() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn the_consumer_is_told_when_somebody_waits_for_a_later_position() {
        let (consumer, mut passing) = passing_over(LONG);
        assert!(passing.pass() && !is_due(&mut passing).await);
        consumer.awaited.send_replace(Position(5));
        assert!(passing.pass() && !is_due(&mut passing).await, "it was told of 5");
        consumer.awaited.send_replace(Position(7));
        assert!(is_due(&mut passing).await && !passing.pass());
        passing.told(Position(6));
        assert!(!passing.pass(), "7 is still waited for");
        passing.told(Position(7));
        assert!(passing.pass() && !is_due(&mut passing).await);
    }

    #[tokio::test]
    async fn the_consumer_is_told_when_it_does_not_allow_it_any_more_and_when_the_time_is_over() {
        let (consumer, mut passing) = passing_over(LONG);
        assert!(passing.pass() && !is_due(&mut passing).await);
        consumer.allowed.send_replace(false);
        assert!(is_due(&mut passing).await && !passing.pass());

        let (_consumer, mut passing) = passing_over(Duration::ZERO);
        assert!(passing.pass());
        passing.until_due().await;
        passing.told(Position(9));
        assert!(!is_due(&mut passing).await, "there is nothing to be told of");
    }
}
