//! Runs a module with events on the real runtime.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use gnomon::{
    event_log::{Position, SchemaVersion, StreamVersion},
    read_model::{HashedKey, Identifier, Index, Row, Table, TableWrites, Value, WriteSet},
    runtime::{
        BatchError, CannotLoad, Delivery, Digest, InvalidModule, Module, ModuleFailure, ModuleLabel,
        ProjectionInstance, ProjectionModule, ReadError, RowReader, Runtime, RuntimeLimits, RuntimeSettings,
    },
};
use gnomon_values::Instant;
use test_support::guest;

/// The limits of these tests: low where it takes long to exceed the default.
pub(crate) const LIMITS: RuntimeLimits = RuntimeLimits {
    max_module_bytes: 32 * 1024 * 1024,
    max_compile_time: Duration::from_secs(60),
    max_compile_memory_bytes: 2 * 1024 * 1024 * 1024,
    max_cache_bytes: 4 * 1024 * 1024 * 1024,
    max_uploads: 8,
    max_memory_bytes: 256 * 1024 * 1024,
    max_total_memory_bytes: 8 * 1024 * 1024 * 1024,
    max_instances: 1000,
    max_batch_time: Duration::from_secs(60),
    max_batch_read_time: Duration::from_secs(60),
    max_row_bytes: 1024 * 1024,
    max_batch_write_bytes: 64 * 1024 * 1024,
    max_find_rows: 10_000,
    max_get_keys: 100_000,
    max_call_bytes: 128 * 1024 * 1024,
    max_read_bytes: 16 * 1024 * 1024,
    max_batch_reads: 1_000_000,
    max_effects: 10,
    max_message_bytes: 1000,
    max_batch_effect_bytes: 10_000,
    max_stream_name_bytes: 255,
    max_upcast_events: 1000,
    max_event_bytes: 1024 * 1024,
    max_event_type_bytes: 255,
    max_event_tags: 32,
    max_tag_bytes: 256,
};

/// When the first event happened: 2013-01-01T00:00:00Z.
pub(crate) const TIME: i64 = 1_356_998_400_000_000;

/// A runtime with these limits. Compiled code is kept beside the tests, since compiling is most of the work.
pub(crate) fn runtime(limits: RuntimeLimits) -> Runtime {
    let cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    Runtime::start(RuntimeSettings { limits, cache, compiler: None }).unwrap()
}

/// The runtime that most tests share.
fn shared() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| runtime(LIMITS))
}

/// Loads a module.
pub(crate) fn load(runtime: &Runtime, bytes: &[u8]) -> Result<ProjectionModule, InvalidModule> {
    let label = ModuleLabel { name: Identifier::new("test").unwrap(), version: None };
    match runtime.load(label, &Digest::of(bytes), bytes) {
        Ok(Module::Projection(projection)) => Ok(projection),
        Ok(other) => panic!("it is {}", other.descriptor().kind().with_article()),
        Err(CannotLoad::Invalid(error)) => Err(error),
        Err(CannotLoad::Host(message)) => panic!("not the module's fault: {message}"),
    }
}

/// The reasons why a guest is refused.
pub(crate) fn refused(name: &str) -> Vec<String> {
    load(shared(), &guest(name)).expect_err("it was accepted").reasons
}

/// An instance of a guest.
pub(crate) fn instance(name: &str) -> ProjectionInstance {
    instance_with(LIMITS, name)
}

/// An instance of a guest, with other limits.
pub(crate) fn instance_with(limits: RuntimeLimits, name: &str) -> ProjectionInstance {
    let narrow;
    let runtime = if limits == LIMITS {
        shared()
    } else {
        narrow = runtime(limits);
        &narrow
    };
    load(runtime, &guest(name)).unwrap().instantiate(Position(1)).unwrap()
}

/// An event with this type and data.
pub(crate) fn event(position: u64, event_type: &str, data: &str) -> Delivery {
    let time = Instant(TIME + i64::try_from(position - 1).unwrap());
    Delivery {
        position: Position(position),
        part: 0,
        stream: "test-1".into(),
        version: StreamVersion(position),
        id: "0198f3a2-0000-7000-8000-000000000001".parse().unwrap(),
        event_type: event_type.into(),
        schema_version: SchemaVersion::FIRST,
        data: data.into(),
        metadata: None,
        time,
        recorded_at: time,
        tags: Vec::new(),
    }
}

/// Two events at which the module writes a note, and a trigger at position 3.
pub(crate) fn trouble(word: &str) -> [Delivery; 3] {
    [event(1, "Fine", "{}"), event(2, "Fine", "{}"), event(3, "Trigger", &format!("\"{word}\""))]
}

/// Reads from empty tables.
pub(crate) struct NoRows;

impl RowReader for NoRows {
    fn get_many(&mut self, _: &Arc<Table>, keys: Vec<HashedKey>, _: usize) -> Result<Vec<Option<Row>>, ReadError> {
        Ok(vec![None; keys.len()])
    }

    fn find(&mut self, _: &Index, _: &[Value], _: &TableWrites, _: usize, _: usize) -> Result<Vec<Row>, ReadError> {
        Ok(Vec::new())
    }
}

/// The changes of a guest at three events, the last of them a trigger.
pub(crate) fn writes(name: &str, word: &str) -> WriteSet {
    instance(name).handle(&trouble(word), Box::new(NoRows)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The failure of a guest at three events, the last of them a trigger.
pub(crate) fn failure(name: &str, word: &str) -> ModuleFailure {
    failure_with(LIMITS, name, word)
}

/// The same with other limits.
pub(crate) fn failure_with(limits: RuntimeLimits, name: &str, word: &str) -> ModuleFailure {
    match instance_with(limits, name).handle(&trouble(word), Box::new(NoRows)) {
        Err(BatchError::Module(failure)) => *failure,
        Err(other) => panic!("{name} {word}: not the module's fault: {other}"),
        Ok(_) => panic!("{name} {word}: nothing failed"),
    }
}

/// The text of the note on the event at a position.
pub(crate) fn note(writes: &WriteSet, position: i64) -> &str {
    match writes.tables()[0].get(&[Value::I64(position)]) {
        Some(Some(row)) => match &row[1] {
            Value::Text(text) => text,
            other => panic!("a note of {other:?}"),
        },
        other => panic!("no note on {position}, but {other:?}"),
    }
}
