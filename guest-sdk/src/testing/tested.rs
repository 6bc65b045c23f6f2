//! The modules that the kit runs: projections and reactors.

use std::marker::PhantomData;

use gnomon_values::{
    Instant,
    effects::{self, EffectLimits},
    limits, names, own_events,
};

use super::declared;
use crate::{
    Events, Partition, Projection, Reactor, Rows, Tables,
    batch::{self, FailureAt, Folding},
    event::RawEvent,
    reactor::{
        Effect,
        answers::{Answer, Answers},
    },
};

/// A module that handles batches of events.
pub(super) trait Tested: 'static {
    /// Its tables.
    type Tables: Tables;

    /// What it is called in messages.
    const KIND: &'static str;
    /// The function that handles an event.
    const FUNCTION: &'static str;
    /// Whether each of its rows depends on the events of one stream only.
    const IS_PARTITIONED: bool;

    /// Checks its declarations as a host does at upload.
    ///
    /// # Panics
    /// A host would refuse the module.
    fn check_declarations();

    /// Whether a host would deliver the event.
    fn is_wanted(event: &RawEvent) -> bool;

    /// Handles a batch. Answers the effects of its events, if the module is a reactor.
    fn handle(rows: &mut Rows, events: impl ExactSizeIterator<Item = RawEvent>) -> Result<Vec<Answer>, FailureAt>;
}

/// A projection under test.
pub(super) struct OfProjection<P>(PhantomData<P>);

/// A reactor under test.
pub(super) struct OfReactor<R>(PhantomData<R>);

impl<P: Projection> Tested for OfProjection<P> {
    type Tables = P::Tables;

    const KIND: &'static str = "projection";
    const FUNCTION: &'static str = "handle";
    const IS_PARTITIONED: bool = matches!(P::PARTITIONED_BY, Some(Partition::Stream));

    #[track_caller]
    fn check_declarations() {
        declared::check_projection::<P>();
    }

    fn is_wanted(event: &RawEvent) -> bool {
        let category = names::split_stream(&event.stream).0;
        is_type_wanted::<P::Event>(event)
            && (P::CATEGORIES.is_empty() || P::CATEGORIES.contains(&category))
            && is_tagged(event, P::TAGS)
    }

    fn handle(rows: &mut Rows, events: impl ExactSizeIterator<Item = RawEvent>) -> Result<Vec<Answer>, FailureAt> {
        batch::handle(&mut Folding::<P>::new(), rows, events).map(|()| Vec::new())
    }
}

impl<R: Reactor> Tested for OfReactor<R> {
    type Tables = R::Tables;

    const KIND: &'static str = "reactor";
    const FUNCTION: &'static str = "react";
    const IS_PARTITIONED: bool = false;

    #[track_caller]
    fn check_declarations() {
        declared::check_reactor::<R>();
    }

    fn is_wanted(event: &RawEvent) -> bool {
        let category = names::split_stream(&event.stream).0;
        let is_in_category = match R::CATEGORIES {
            [] => !names::is_reserved(category),
            categories => categories.contains(&category),
        };
        let is_own = names::is_own_category(category, &declared::module_name());
        let is_forged = own_events::is_forged(&event.event_type, category);
        is_type_wanted::<R::Event>(event) && !is_forged && (is_own || is_in_category && is_tagged(event, R::TAGS))
    }

    fn handle(rows: &mut Rows, events: impl ExactSizeIterator<Item = RawEvent>) -> Result<Vec<Answer>, FailureAt> {
        let mut answers = Answers::<R>::new();
        batch::handle(&mut answers, rows, events)?;
        match answers.answers.iter().find_map(|answer| Some((answer.position, check(answer, R::SINKS).err()?))) {
            Some((position, message)) => Err(FailureAt { position, message }),
            None => Ok(answers.answers),
        }
    }
}

fn is_type_wanted<E: Events>(event: &RawEvent) -> bool {
    E::ALL_TYPES || E::WANTED.iter().any(|wanted| wanted.event_type == event.event_type)
}

fn is_tagged(event: &RawEvent, wanted: &[&str]) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| event.tags.iter().any(|tag| tag == wanted))
}

/// Checks the effects of an event as a host does.
fn check(answer: &Answer, sinks: &[&str]) -> Result<(), String> {
    let effects: Vec<_> = answer.effects.iter().map(to_check).collect();
    effects::check_all(sinks, &effects, &EffectLimits::default())?;
    let bytes = effects.iter().map(effects::Effect::bytes).sum();
    limits::check_batch_effects(bytes, limits::DEFAULT_MAX_BATCH_EFFECT_BYTES).map_err(|error| error.to_string())
}

/// An effect in the form in which a host checks it.
fn to_check(effect: &Effect) -> effects::Effect<'_> {
    match effect {
        Effect::Append { stream, expected, events } => {
            let events = events.iter().map(|event| effects::NewEvent {
                event_type: &event.event_type,
                schema_version: event.schema_version,
                data: &event.data,
                metadata: event.metadata.as_deref(),
                tags: &event.tags,
            });
            effects::Effect::Append { stream, expected: *expected, events: events.collect() }
        }
        Effect::Publish { sink, message_type, subject, data } => {
            effects::Effect::Publish { sink, message_type, subject: subject.as_deref(), data }
        }
        Effect::Call { sink, name, data } => effects::Effect::Call { sink, name, data },
        Effect::Schedule { name, at, data } => effects::Effect::Schedule { name, at: Instant(*at), data },
        Effect::Cancel { name } => effects::Effect::Cancel { name },
    }
}
