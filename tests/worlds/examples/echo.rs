//! Returns a line for each event: its type and the time of the clock.

#![cfg(target_family = "wasm")]

use std::time::{SystemTime, UNIX_EPOCH};

use contract::{
    exports::test::worlds::echo_guest::{Event, Failure, Guest},
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

    fn echo(events: Vec<Event>) -> Result<Vec<String>, Failure> {
        events.into_iter().map(line).collect()
    }
}

fn line(event: Event) -> Result<String, Failure> {
    cursor::at(event.position);
    match event.event_type.as_str() {
        "Refused" => return Err(Failure { position: event.position, message: event.data }),
        "Fatal" => {
            log::write(log::Level::Error, "last words");
            std::process::abort();
        }
        _ => {}
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
    Ok(format!("{} at {time}", event.event_type))
}

#[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
const _: () = {
    contract::export!(Echo with_types_in contract);
};
