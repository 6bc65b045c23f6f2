//! What the modules in `examples` share: the contract as it is, without the SDK that keeps its rules.

#![cfg(target_family = "wasm")]

/// What `wit-bindgen` makes of the contract.
#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod contract {
    wit_bindgen::generate!({
        path: "../../wit/v0.1.0",
        world: "projection",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

pub use contract::{
    exports::gnomon::module::projection_guest::{Column, ColumnType, Descriptor, Guest, Index, Table},
    gnomon::module::{
        cursor, log, read_model,
        types::{Event, Failure, Value},
    },
};

/// The type of event at which a module does what it is there for. At all others it writes a note.
pub const TRIGGER: &str = "Trigger";

/// Wants every event, and keeps `notes`: `position`, the key, `text`, and `color`, with an index.
pub fn notes() -> Descriptor {
    Descriptor {
        tables: vec![Table {
            name: "notes".to_owned(),
            columns: vec![
                column("position", ColumnType::Int64, false),
                column("text", ColumnType::Text, true),
                column("color", ColumnType::Text, true),
            ],
            key: vec!["position".to_owned()],
            indexes: vec![index("by_color", &["color"])],
        }],
        all_types: true,
        event_types: Vec::new(),
        categories: Vec::new(),
        partitioned_by: None,
    }
}

/// A column.
pub fn column(name: &str, column_type: ColumnType, nullable: bool) -> Column {
    Column { name: name.to_owned(), column_type, nullable }
}

/// An index.
pub fn index(name: &str, columns: &[&str]) -> Index {
    Index { name: name.to_owned(), columns: columns.iter().map(|&column| column.to_owned()).collect() }
}

/// Writes a note, which is all that the well-behaved part of these modules does.
pub fn write_note(position: u64, text: &str) {
    read_model::put_many("notes", &[note(position, text)]);
}

/// A row of `notes`, a red one.
pub fn note(position: u64, text: &str) -> Vec<Value> {
    vec![Value::Int64(position.cast_signed()), Value::Text(text.to_owned()), Value::Text("red".to_owned())]
}

/// Goes through events in order: notes the type of each, and calls `misbehave` with those of type [`TRIGGER`].
///
/// # Errors
/// Those of `misbehave`.
pub fn at_triggers(events: Vec<Event>, misbehave: impl Fn(&Event) -> Result<(), Failure>) -> Result<(), Failure> {
    for event in events {
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

/// Makes a type that is [`Guest`] what its crate is built to.
#[macro_export]
macro_rules! guest {
    ($guest:ident) => {
        #[allow(unsafe_code, reason = "the exports of a component bear names that are not mangled")]
        const _: () = {
    $crate::contract::export!($guest with_types_in $crate::contract);
        };
    };
}
