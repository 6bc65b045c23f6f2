//! Upcasters as real components: calls, uploads, and the upcaster of the sample flights.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod breaches;
mod chain;
mod flights;
mod upload;

use gnomon::{
    event_log::{Position, SchemaVersion, StreamVersion},
    read_model::Identifier,
    runtime::{
        CannotLoad, Delivery, Digest, InvalidModule, Module, ModuleLabel, ModuleVersion, Runtime, RuntimeLimits,
        RuntimeSettings, UpcasterModule,
    },
};

use gnomon_values::Instant;

/// Loads a module with these limits.
fn load(name: &str, component: &[u8], limits: RuntimeLimits) -> Result<Module, InvalidModule> {
    let runtime = Runtime::start(RuntimeSettings { limits, ..RuntimeSettings::default() }).unwrap();
    let label = ModuleLabel { name: Identifier::new(name).unwrap(), version: Some(ModuleVersion(7)) };
    runtime.load(label, &Digest::of(component), component).map_err(|error| match error {
        CannotLoad::Invalid(error) => error,
        CannotLoad::Host(message) => panic!("not the module's fault: {message}"),
    })
}

fn load_upcaster(name: &str, component: &[u8], limits: RuntimeLimits) -> UpcasterModule {
    match load(name, component, limits) {
        Ok(Module::Upcaster(upcaster)) => upcaster,
        other => panic!("not an upcaster: {other:?}"),
    }
}

/// An event that tells `does_as_told` what to do.
fn told(position: u64, event_type: &str, schema_version: u32, word: &str) -> Delivery {
    Delivery {
        position: Position(position),
        part: 0,
        stream: "s-1".into(),
        version: StreamVersion(position),
        id: uuid::Uuid::from_u128(position.into()),
        event_type: event_type.into(),
        schema_version: SchemaVersion::try_from(schema_version).unwrap(),
        data: format!("\"{word}\"").into(),
        metadata: None,
        time: Instant(i64::try_from(position).unwrap() * 1_000_000),
        recorded_at: Instant(0),
        tags: vec!["course:c1".into(), "student:s7".into()],
    }
}
