//! Imports sockets, which no module may import.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            if std::net::TcpStream::connect("127.0.0.1:5432").is_ok() {
                write_note(event.position, "connected");
            }
            Ok(())
        })
    }
}

guest!(Module);
