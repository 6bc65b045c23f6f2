//! The contract of upcasters, without the SDK.

#![cfg(target_family = "wasm")]

/// What `wit-bindgen` makes of the contract.
#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod contract {
    wit_bindgen::generate!({
        path: "../../../wit/v0.2.0",
        world: "upcaster",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub use contract::{
    exports::gnomon::module::upcaster_guest::{Descriptor, Guest, Step, Upcasted},
    gnomon::module::{
        cursor, log,
        types::{Batch, Failure, Sdk},
    },
};

/// An event, with its texts.
pub struct Event {
    /// Its position.
    pub position: u64,
    /// Its type.
    pub event_type: String,
    /// Its schema version.
    pub schema_version: u32,
    /// Its data.
    pub data: String,
    /// Its metadata.
    pub metadata: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// The events of a batch.
pub fn events(batch: Batch) -> Vec<Event> {
    let (mut texts, mut tag_lengths) = (batch.texts.as_str(), batch.tag_lengths.into_iter());
    let mut text = |length: u32| {
        let (text, rest) = texts.split_at(length as usize);
        texts = rest;
        text.to_owned()
    };
    let event = |event: contract::gnomon::module::types::Event| {
        let [_, event_type, data] = [event.stream_length, event.type_length, event.data_length].map(&mut text);
        let metadata = (event.metadata_length > 0).then(|| text(event.metadata_length));
        let tags = tag_lengths.by_ref().take(event.tags as usize).map(&mut text).collect();
        Event { position: event.position, event_type, schema_version: event.schema_version, data, metadata, tags }
    };
    batch.events.into_iter().map(event).collect()
}

/// A step that produces events of these types.
pub fn step(event_type: &str, from: u32, to: u32, produces: &[&str]) -> Step {
    let produces = produces.iter().map(|&event_type| event_type.to_owned()).collect();
    Step { event_type: event_type.to_owned(), from, to, produces }
}

/// What the modules say of their SDK.
pub fn sdk() -> Sdk {
    Sdk { name: "none".to_owned(), version: "0".to_owned(), language: "Rust".to_owned() }
}

/// An event with a string as its data.
pub fn made(event_type: &str, schema_version: u32, word: &str) -> Upcasted {
    Upcasted {
        event_type: event_type.to_owned(),
        schema_version,
        data: format!("\"{word}\""),
        metadata: None,
        tags: Vec::new(),
    }
}

/// Exports a type that implements [`Guest`] as the component of its crate.
#[macro_export]
macro_rules! guest {
    ($guest:ident) => {
        #[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
        const _: () = {
    $crate::contract::export!($guest with_types_in $crate::contract);
        };
    };
}
