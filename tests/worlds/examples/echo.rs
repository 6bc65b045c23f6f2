//! Returns a line for each event: its type and the time of the clock.

#![cfg(target_family = "wasm")]

use std::time::{SystemTime, UNIX_EPOCH};

use contract::{
    exports::test::worlds::echo_guest::{Batch, Failure, Guest},
    gnomon::module::{cursor, log},
};

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
mod contract {
    wit_bindgen::generate!({ path: ["../../wit/v0.2.0", "wit"], world: "test:worlds/echo", generate_all });
}

struct Echo;

impl Guest for Echo {
    fn describe() -> String {
        "heard".to_owned()
    }

    fn echo(batch: Batch) -> Result<Vec<String>, Failure> {
        let mut texts = batch.texts.as_str();
        let mut text = |length: u32| {
            let (text, rest) = texts.split_at(length as usize);
            texts = rest;
            text
        };
        let lines = batch.events.iter().map(|event| {
            let [_, event_type, data, _] =
                [event.stream_length, event.type_length, event.data_length, event.metadata_length].map(&mut text);
            line(event.position, event_type, data)
        });
        lines.collect()
    }
}

/// The events have no tags.
fn line(position: u64, event_type: &str, data: &str) -> Result<String, Failure> {
    cursor::at(position);
    match event_type {
        "Refused" => return Err(Failure { position, message: data.to_owned() }),
        "Fatal" => {
            log::write(log::Level::Error, "last words");
            std::process::abort();
        }
        _ => {}
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
    Ok(format!("{event_type} at {time}"))
}

#[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
const _: () = {
    contract::export!(Echo with_types_in contract);
};
