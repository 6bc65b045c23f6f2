//! A table with a third world: its modules are recognised, loaded and called like those of the others.

use std::sync::OnceLock;

use gnomon_values::Instant;
use test_support::{guest, of_another_world, upcaster};
use uuid::Uuid;
use wasmtime::Engine;

use super::echo::{Echo, EchoModule};
use crate::{
    event_log::{Position, SchemaVersion, StreamVersion},
    read_model::Identifier,
    runtime::{
        BatchError, CannotLoad, Delivery, Digest, FailureKind, InvalidModule, ModuleFailure, ModuleLabel,
        RuntimeSettings,
        loading::loader::Loader,
        worlds::{
            entry::Entry,
            projection::{Projection, ProjectionModule},
            upcaster::{Upcaster, UpcasterModule},
        },
    },
};

/// A module of a world in this table.
#[derive(Debug)]
enum Loaded {
    Projection(ProjectionModule),
    Upcaster(UpcasterModule),
    Echo(EchoModule),
}

fn table(engine: &Engine) -> wasmtime::Result<Vec<Entry<Loaded>>> {
    Ok(vec![
        Entry::of::<Projection>(engine, |program| ProjectionModule::describe(program).map(Loaded::Projection))?,
        Entry::of::<Upcaster>(engine, |program| UpcasterModule::describe(program).map(Loaded::Upcaster))?,
        Entry::of::<Echo>(engine, |program| EchoModule::describe(program).map(Loaded::Echo))?,
    ])
}

fn load(bytes: &[u8]) -> Result<Loaded, InvalidModule> {
    static LOADER: OnceLock<Loader<Loaded>> = OnceLock::new();
    let loader = LOADER.get_or_init(|| Loader::start(RuntimeSettings::default(), table).unwrap());
    let label = ModuleLabel { name: Identifier::new("test").unwrap(), version: None };
    loader.load(label, &Digest::of(bytes), bytes).map_err(|error| match error {
        CannotLoad::Invalid(invalid) => invalid,
        CannotLoad::Host(message) => panic!("not the module's fault: {message}"),
    })
}

fn echo() -> EchoModule {
    match load(&of_another_world("echo")).unwrap() {
        Loaded::Echo(echo) => echo,
        other => panic!("not an echo: {other:?}"),
    }
}

fn event(position: u64, event_type: &str) -> Delivery {
    Delivery {
        position: Position(position),
        part: 0,
        stream: "s-1".into(),
        version: StreamVersion(position),
        id: Uuid::from_u128(position.into()),
        event_type: event_type.into(),
        schema_version: SchemaVersion::FIRST,
        data: "\"no\"".into(),
        metadata: None,
        time: Instant(i64::try_from(position).unwrap() * 1_000_000),
        recorded_at: Instant(0),
        tags: Vec::new(),
    }
}

fn failure(events: &[Delivery]) -> ModuleFailure {
    match echo().echo(events).unwrap_err() {
        BatchError::Module(failure) => *failure,
        other => panic!("not a failure of the module: {other}"),
    }
}

#[test]
fn its_modules_are_loaded_and_called() {
    let mut echo = echo();
    let lines = echo.echo(&[event(3, "Opened"), event(5, "Closed")]).unwrap();
    assert_eq!(lines, ["heard Opened at 3000000", "heard Closed at 5000000"]);
    assert_eq!(echo.echo(&[event(8, "Opened")]).unwrap(), ["heard Opened at 8000000"]);
}

#[test]
fn its_modules_fail_as_those_of_any_world() {
    let refused = failure(&[event(3, "Opened"), event(5, "Refused")]);
    assert_eq!((refused.position.0, refused.kind, refused.message.as_str()), (5, FailureKind::Refused, "\"no\""));
    let aborted = failure(&[event(3, "Opened"), event(5, "Fatal"), event(6, "Opened")]);
    assert_eq!((aborted.position.0, aborted.kind, aborted.message.as_str()), (5, FailureKind::Trapped, "last words"));
}

#[test]
fn its_modules_have_no_rows() {
    let refused = load(&of_another_world("echo_with_rows")).unwrap_err();
    assert_eq!(
        refused.reasons,
        ["it imports `gnomon:module/read-model@0.2.0`, which an echo may not import: it has access to its events only"]
    );
}

#[test]
fn the_other_worlds_still_load() {
    match load(&guest("tally")).unwrap() {
        Loaded::Projection(tally) => assert_eq!(tally.descriptor().categories, ["count"]),
        other => panic!("not a projection: {other:?}"),
    }
    match load(&upcaster("does_as_told")).unwrap() {
        Loaded::Upcaster(upcaster) => assert_eq!(upcaster.descriptor().steps.len(), 3),
        other => panic!("not an upcaster: {other:?}"),
    }
    let refused = load(&wat::parse_str("(component)").unwrap()).unwrap_err();
    assert_eq!(
        refused.reasons,
        ["it exports neither `gnomon:module/projection-guest@0.2.0` nor `gnomon:module/upcaster-guest@0.2.0` nor \
          `test:worlds/echo-guest@0.2.0`, so it is neither a projection nor an upcaster nor an echo; call gnomon_sdk::export! or \
          gnomon_sdk::export_upcaster! or export_echo! in its crate"]
    );
}
