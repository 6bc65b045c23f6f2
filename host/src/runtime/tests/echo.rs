//! A world of `tests/worlds/wit`, whose modules return a line for each event and have no rows.
//!
//! The runtime needs nothing for it but this file and an entry in a table.

use std::fmt;

use wasmtime::{Store, component::InstancePre};

use self::generated::{Echo as Exports, EchoPre};
use crate::runtime::{
    delivery::Delivery,
    failure::BatchError,
    imports::{cursor, import::Import, log},
    invalid::CannotLoad,
    limits::RuntimeLimits,
    worlds::{
        guest::Guest,
        program::{Program, Running},
        world::{Signature, World},
    },
};

mod generated {
    wasmtime::component::bindgen!({
        path: ["../wit/v0.2.0", "../tests/worlds/wit"],
        world: "test:worlds/echo",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "gnomon:module/cursor": crate::runtime::bindings::cursor,
            "gnomon:module/log": crate::runtime::bindings::log,
            "gnomon:module/types": crate::runtime::bindings::types,
        },
    });
}

/// The world.
pub(super) struct Echo;

impl World for Echo {
    const SIGNATURE: Signature = Signature {
        with_article: "an echo",
        version: "0.2.0",
        export: "test:worlds/echo-guest",
        exported_by: "export_echo!",
        sees: "its events",
    };

    type State = ();

    fn state(_: &RuntimeLimits) {}

    fn imports() -> Vec<Import<Guest<()>>> {
        vec![cursor::import(|guest| &mut guest.cursor), log::import(|guest| &mut guest.output)]
    }

    type Linked = EchoPre<Guest<()>>;
    type Exports = Exports;

    fn link(component: InstancePre<Guest<()>>) -> wasmtime::Result<Self::Linked> {
        EchoPre::new(component)
    }

    fn instantiate(component: &Self::Linked, store: &mut Store<Guest<()>>) -> wasmtime::Result<Exports> {
        component.instantiate(store)
    }
}

/// A module of this world: the word with which its lines begin, and an instance.
pub(super) struct EchoModule {
    word: String,
    running: Running<Echo>,
}

impl EchoModule {
    pub(super) fn describe(program: Program<Echo>) -> Result<Self, CannotLoad> {
        let word = program.describe(|exports, store| exports.test_worlds_echo_guest().call_describe(store))?;
        let running = program.start().map_err(|error| CannotLoad::Host(error.to_string()))?;
        Ok(Self { word, running })
    }

    pub(super) fn echo(&mut self, events: &[Delivery]) -> Result<Vec<String>, BatchError> {
        let lines = self
            .running
            .call(events, |exports, store, events| exports.test_worlds_echo_guest().call_echo(store, events))?;
        Ok(lines.into_iter().map(|line| format!("{} {line}", self.word)).collect())
    }
}

impl fmt::Debug for EchoModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoModule").field("word", &self.word).finish_non_exhaustive()
    }
}
