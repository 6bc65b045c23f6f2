//! Shared by the modules in `examples`: the contract without the SDK, which would enforce its rules.

#![cfg(target_family = "wasm")]

pub mod reactor;

/// What `wit-bindgen` makes of the contract.
#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod contract {
    wit_bindgen::generate!({
        path: "../../wit/v0.2.0",
        world: "projection",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub use contract::{
    exports::gnomon::module::projection_guest::{Descriptor, Guest},
    gnomon::module::{
        cursor, log, read_model,
        tables::{Column, ColumnType, FullText, Index, IndexKind, Reference, Table, Weight, WeightedColumn},
        types::{Batch, Failure, Sdk, Value},
    },
};

/// An event, with its texts.
pub struct Event {
    /// Its position.
    pub position: u64,
    /// Its type.
    pub event_type: String,
    /// Its data.
    pub data: String,
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
        let [_, event_type, data, _] =
            [event.stream_length, event.type_length, event.data_length, event.metadata_length].map(&mut text);
        tag_lengths.by_ref().take(event.tags as usize).for_each(|length| drop(text(length)));
        Event { position: event.position, event_type, data }
    };
    batch.events.into_iter().map(event).collect()
}

/// The event type at which a module misbehaves. For all other events it writes a note.
pub const TRIGGER: &str = "Trigger";

/// A descriptor that reads every event and declares the table `notes`: `position`, which is the key, `text`, and the indexed
/// `color`.
pub fn notes() -> Descriptor {
    Descriptor {
        sdk: sdk(),
        description: None,
        tables: vec![Table {
            name: "notes".to_owned(),
            description: None,
            columns: vec![
                column("position", ColumnType::Int64, false),
                column("text", ColumnType::Text, true),
                column("color", ColumnType::Text, true),
            ],
            key: vec!["position".to_owned()],
            indexes: vec![index("by_color", &["color"])],
            references: Vec::new(),
        }],
        all_types: true,
        event_types: Vec::new(),
        categories: Vec::new(),
        tags: Vec::new(),
        partitioned_by: None,
    }
}

/// A column.
pub fn column(name: &str, column_type: ColumnType, nullable: bool) -> Column {
    Column { name: name.to_owned(), description: None, column_type, nullable }
}

/// A B-tree.
pub fn index(name: &str, columns: &[&str]) -> Index {
    Index { name: name.to_owned(), kind: IndexKind::Btree(names(columns)) }
}

/// Names as the contract has them.
pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// What the modules say of their SDK.
pub fn sdk() -> Sdk {
    Sdk { name: "none".to_owned(), version: "0".to_owned(), language: "Rust".to_owned() }
}

/// Writes a note.
pub fn write_note(position: u64, text: &str) {
    read_model::put_many("notes", &[note(position, text)]);
}

/// A row of `notes` with the color red.
pub fn note(position: u64, text: &str) -> Vec<Value> {
    vec![Value::Int64(position.cast_signed()), Value::Text(text.to_owned()), Value::Text("red".to_owned())]
}

/// Handles events in order: calls `misbehave` for those of type [`TRIGGER`], and writes a note for all others.
///
/// # Errors
/// Those of `misbehave`.
pub fn at_triggers(batch: Batch, misbehave: impl Fn(&Event) -> Result<(), Failure>) -> Result<(), Failure> {
    for event in events(batch) {
        cursor::at(event.position);
        if event.event_type == TRIGGER {
            misbehave(&event)?;
        } else {
            write_note(event.position, &event.event_type);
        }
    }
    Ok(())
}

/// The data of an event that is a JSON string, without its quotes.
pub fn word(event: &Event) -> &str {
    event.data.trim_matches('"')
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
