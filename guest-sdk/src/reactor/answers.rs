//! Answers a batch of events.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{effect::Effect, effects::Effects, react::Reactor};
use crate::{Event, Failure, Prefetch, Rows, batch::Handler};

/// The effects of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) position: u64,
    pub(crate) part: u32,
    pub(crate) effects: Vec<Effect>,
}

/// Collects the answers of a reactor.
pub(crate) struct Answers<R> {
    pub(crate) answers: Vec<Answer>,
    effects: Effects,
    reactor: PhantomData<R>,
}

impl<R> Answers<R> {
    pub(crate) fn new() -> Self {
        Self { answers: Vec::new(), effects: Effects::default(), reactor: PhantomData }
    }
}

impl<R: Reactor> Handler for Answers<R> {
    type Event = R::Event;

    fn prefetch(event: &Event<R::Event>, prefetch: &mut Prefetch) {
        R::prefetch(event, prefetch);
    }

    fn handle(&mut self, event: &Event<R::Event>, rows: &mut Rows) -> Result<(), Failure> {
        R::react(event, rows, &mut self.effects)?;
        let effects = self.effects.finish()?;
        if !effects.is_empty() {
            self.answers.push(Answer { position: event.position, part: event.part, effects });
        }
        Ok(())
    }
}
