//! The world of reactors.

use std::marker::PhantomData;

use super::{
    convert::{events, sdk},
    declared::{Package, description, names, tables, wanted_types},
};
use crate::{
    Events, Reactor, guest as module,
    reactor::{Effect, RawEvent, answers::Answer},
};

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "reactor",
        pub_export_macro: true,
        export_macro_name: "export_reactor",
        with: {
            "gnomon:module/cursor@0.2.0": crate::bindings::generated::gnomon::module::cursor,
            "gnomon:module/log@0.2.0": crate::bindings::generated::gnomon::module::log,
            "gnomon:module/read-model@0.2.0": crate::bindings::generated::gnomon::module::read_model,
            "gnomon:module/tables@0.2.0": crate::bindings::generated::gnomon::module::tables,
            "gnomon:module/types@0.2.0": crate::bindings::generated::gnomon::module::types,
        },
    });
}

pub use self::generated::export_reactor;
use self::generated::exports::gnomon::module::reactor_guest as guest;

/// The component of a reactor that the crate `C` exports.
#[derive(Debug)]
pub struct Component<R, C>(PhantomData<(R, C)>);

impl<R: Reactor, C: Package> guest::Guest for Component<R, C> {
    fn describe() -> guest::Descriptor {
        guest::Descriptor {
            sdk: sdk(),
            description: description::<C>(),
            tables: tables::<R::Tables>(),
            all_types: R::Event::ALL_TYPES,
            event_types: wanted_types::<R::Event>(),
            categories: names(R::CATEGORIES),
            tags: names(R::TAGS),
            sinks: names(R::SINKS),
        }
    }

    fn react(batch: guest::Batch) -> Result<Vec<guest::Answer>, guest::Failure> {
        let answers = module::react::<R>(events(batch))
            .map_err(|failure| guest::Failure { position: failure.position, message: failure.message })?;
        Ok(answers.into_iter().map(answer).collect())
    }
}

fn answer(Answer { position, part, effects }: Answer) -> guest::Answer {
    guest::Answer { position, part, effects: effects.into_iter().map(effect).collect() }
}

fn effect(effect: Effect) -> guest::Effect {
    match effect {
        Effect::Append { stream, expected, events } => guest::Effect::Append(guest::Append {
            stream,
            expected_version: match expected {
                None => guest::ExpectedVersion::Any,
                Some(0) => guest::ExpectedVersion::NoStream,
                Some(version) => guest::ExpectedVersion::Exact(version),
            },
            events: events.into_iter().map(new_event).collect(),
        }),
        Effect::Publish { sink, message_type, subject, data } => {
            guest::Effect::Publish(guest::Publish { sink, message_type, subject, data })
        }
        Effect::Call { sink, name, data } => guest::Effect::Call(guest::Call { sink, name, data }),
        Effect::Schedule { name, at, data } => guest::Effect::Schedule(guest::Schedule { name, at, data }),
        Effect::Cancel { name } => guest::Effect::Cancel(name),
    }
}

fn new_event(event: RawEvent) -> guest::NewEvent {
    let RawEvent { event_type, schema_version, data, metadata, tags } = event;
    guest::NewEvent { event_type, schema_version, data, metadata, tags }
}
