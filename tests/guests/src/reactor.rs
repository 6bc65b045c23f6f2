//! The contract of reactors without the SDK.

/// What `wit-bindgen` makes of it.
#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod contract {
    wit_bindgen::generate!({
        path: "../../wit/v0.2.0",
        world: "reactor",
        pub_export_macro: true,
        export_macro_name: "export",
        with: {
            "gnomon:module/cursor@0.2.0": crate::contract::gnomon::module::cursor,
            "gnomon:module/log@0.2.0": crate::contract::gnomon::module::log,
            "gnomon:module/read-model@0.2.0": crate::contract::gnomon::module::read_model,
            "gnomon:module/tables@0.2.0": crate::contract::gnomon::module::tables,
            "gnomon:module/types@0.2.0": crate::contract::gnomon::module::types,
        },
    });
}

pub use contract::exports::gnomon::module::reactor_guest::{
    Answer, Append, Call, Descriptor, Effect, ExpectedVersion, Guest, NewEvent, Publish, Schedule,
};

use crate::{notes, sdk};

/// A descriptor that reads every event, declares the table [`notes`], and names the sinks `mail` and `bank`.
pub fn takes_notes() -> Descriptor {
    Descriptor {
        sdk: sdk(),
        description: None,
        tables: notes().tables,
        all_types: true,
        event_types: Vec::new(),
        categories: Vec::new(),
        tags: Vec::new(),
        sinks: vec!["mail".to_owned(), "bank".to_owned()],
    }
}

/// An event without metadata and tags.
pub fn new_event(event_type: &str, data: &str) -> NewEvent {
    NewEvent {
        event_type: event_type.to_owned(),
        schema_version: 1,
        data: data.to_owned(),
        metadata: None,
        tags: Vec::new(),
    }
}

/// An append of one event, whatever the version of the stream.
pub fn append(stream: &str, event: NewEvent) -> Effect {
    Effect::Append(Append { stream: stream.to_owned(), expected_version: ExpectedVersion::Any, events: vec![event] })
}

/// A message without a subject.
pub fn publish(sink: &str, message_type: &str, data: &str) -> Effect {
    Effect::Publish(Publish {
        sink: sink.to_owned(),
        message_type: message_type.to_owned(),
        subject: None,
        data: data.to_owned(),
    })
}

/// Exports a type that implements [`Guest`] as the component of its crate.
#[macro_export]
macro_rules! reactor_guest {
    ($guest:ident) => {
        #[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
        const _: () = {
    $crate::reactor::contract::export!($guest with_types_in $crate::reactor::contract);
        };
    };
}
