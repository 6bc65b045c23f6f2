//! The world of reactors: events in, rows of their own and effects out.

use std::{borrow::Borrow, sync::Arc};

use gnomon_values::{
    Instant,
    effects::{Effect, NewEvent},
};
use wasmtime::{Store, component::InstancePre};

use self::generated::{Reactor as Exports, ReactorPre, exports::gnomon::module::reactor_guest as contract};
use super::{
    guest::Guest,
    program::{Program, Running},
    reaction,
    world::{Signature, World},
};
use crate::{
    event_log::Position,
    read_model::{Table, WriteSet},
    runtime::{
        declared,
        delivery::Delivery,
        descriptor::{ModuleKind, ReactorDescriptor},
        descriptor_size,
        effects::EffectsOf,
        failure::{BatchError, FailureKind, Fault},
        imports::{
            cursor,
            import::Import,
            log,
            read_model::{self, ReadModel},
        },
        invalid::CannotLoad,
        label::ModuleLabel,
        limits::RuntimeLimits,
        row_reader::RowReader,
        sandbox::host_memory::HostMemory,
    },
};

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.2.0",
        world: "reactor",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "gnomon:module/cursor": crate::runtime::bindings::cursor,
            "gnomon:module/log": crate::runtime::bindings::log,
            "gnomon:module/read-model": crate::runtime::bindings::read_model,
            "gnomon:module/tables": crate::runtime::bindings::tables,
            "gnomon:module/types": crate::runtime::bindings::types,
        },
    });
}

/// The world.
pub(in crate::runtime) struct Reactor;

impl World for Reactor {
    const SIGNATURE: Signature = Signature {
        with_article: ModuleKind::Reactor.with_article(),
        version: "0.2.0",
        export: "gnomon:module/reactor-guest",
        exported_by: "gnomon_sdk::export_reactor!",
        sees: "its events and its rows",
    };

    type State = ReadModel;

    fn state(limits: &RuntimeLimits) -> ReadModel {
        ReadModel::new(limits)
    }

    fn imports() -> Vec<Import<Guest<ReadModel>>> {
        vec![
            cursor::import(|guest| &mut guest.cursor),
            log::import(|guest| &mut guest.output),
            read_model::import(|guest| read_model::Call { rows: &mut guest.own, deadline: &mut guest.deadline }),
        ]
    }

    type Linked = ReactorPre<Guest<ReadModel>>;
    type Exports = Exports;

    fn link(component: InstancePre<Guest<ReadModel>>) -> wasmtime::Result<Self::Linked> {
        ReactorPre::new(component)
    }

    fn instantiate(component: &Self::Linked, store: &mut Store<Guest<ReadModel>>) -> wasmtime::Result<Exports> {
        component.instantiate(store)
    }
}

/// A reactor that can be run. Clones are handles on one compiled module.
#[derive(Clone)]
pub struct ReactorModule {
    shared: Arc<Shared>,
}

struct Shared {
    program: Program<Reactor>,
    descriptor: ReactorDescriptor,
    tables: Vec<Arc<Table>>,
}

/// An instance of a reactor. Its memory caches rows from batch to batch, so an instance whose batch was not committed must be dropped.
pub struct ReactorInstance {
    module: ReactorModule,
    running: Running<Reactor>,
}

/// What a reactor makes of a batch.
#[derive(Debug)]
pub struct Reaction {
    /// What it changes in its own rows.
    pub writes: WriteSet,
    /// The effects of the events that have some, in the order of the events.
    pub effects: Vec<EffectsOf>,
}

impl ReactorModule {
    /// Calls `describe` and checks the descriptor.
    pub(in crate::runtime) fn describe(program: Program<Reactor>) -> Result<Self, CannotLoad> {
        let descriptor =
            program.describe(|exports, store| exports.gnomon_module_reactor_guest().call_describe(store))?;
        let descriptor = from_contract(descriptor)?;
        let tables = descriptor.check()?;
        Ok(Self { shared: Arc::new(Shared { program, descriptor, tables }) })
    }

    /// What the reactor declares.
    #[must_use]
    pub fn descriptor(&self) -> &ReactorDescriptor {
        &self.shared.descriptor
    }

    /// The tables of its own rows.
    #[must_use]
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.shared.tables
    }

    /// Its name and version.
    #[must_use]
    pub fn label(&self) -> &ModuleLabel {
        self.shared.program.label()
    }

    /// The memory that its instances share with all others of the host.
    #[must_use]
    pub fn memory(&self) -> &HostMemory {
        self.shared.program.memory()
    }

    /// Makes an instance with fresh memory, whose first event is the one at `position`. Blocks: the module may compute.
    ///
    /// # Errors
    /// The host cannot start another instance now, or the module fails as it starts, which is attributed to that event.
    pub fn instantiate(&self, position: Position) -> Result<ReactorInstance, BatchError> {
        let running = self.shared.program.start().map_err(|error| error.at(position))?;
        Ok(ReactorInstance { module: self.clone(), running })
    }
}

impl std::fmt::Debug for ReactorModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReactorModule").field("label", self.label()).finish_non_exhaustive()
    }
}

impl ReactorInstance {
    /// Answers events, at least one, in the order of their positions. Blocks: it computes, and `rows` may wait.
    ///
    /// # Errors
    /// The batch changes nothing and has no effects, and the instance must be dropped.
    pub fn react<E: Borrow<Delivery>>(
        &mut self,
        events: &[E],
        rows: Box<dyn RowReader>,
    ) -> Result<Reaction, BatchError> {
        let Shared { program, descriptor, tables } = &*self.module.shared;
        self.running.state().begin_batch(tables, rows);
        let answers = self
            .running
            .call(events, |exports, store, events| exports.gnomon_module_reactor_guest().call_react(store, events));
        let writes = self.running.state().take_writes();
        let answers = answers?;
        let returned = answers.iter().map(returned).collect();
        let checked = reaction::check(returned, events, descriptor, program.limits());
        let effects = checked.map_err(|breach| {
            let position = breach.position.unwrap_or_else(|| self.running.position(events));
            Fault::new(FailureKind::BrokeContract, &breach.message, Vec::new()).at(position)
        })?;
        Ok(Reaction { writes: writes.unwrap_or_else(|| WriteSet::new(tables)), effects })
    }
}

impl std::fmt::Debug for ReactorInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReactorInstance").field("module", &self.module).finish_non_exhaustive()
    }
}

/// # Errors
/// It wants or names too much, or there is a message for each schema version that is out of range.
fn from_contract(descriptor: contract::Descriptor) -> Result<ReactorDescriptor, Vec<String>> {
    let counts = (descriptor.event_types.len(), descriptor.categories.len(), descriptor.tags.len());
    descriptor_size::check_wanted(counts.0, counts.1, counts.2).map_err(|reason| vec![reason])?;
    descriptor_size::check_sinks(descriptor.sinks.len()).map_err(|reason| vec![reason])?;
    let event_types = declared::wanted_types(descriptor.event_types)?;
    Ok(ReactorDescriptor {
        sdk: declared::sdk(descriptor.sdk),
        description: descriptor.description,
        tables: declared::tables(descriptor.tables),
        all_types: descriptor.all_types,
        event_types,
        categories: descriptor.categories,
        tags: descriptor.tags,
        sinks: descriptor.sinks,
    })
}

/// An answer as the module returned it.
fn returned(answer: &contract::Answer) -> reaction::Returned<'_> {
    let contract::Answer { position, part, effects } = answer;
    reaction::Returned { position: *position, part: *part, effects: effects.iter().map(effect).collect() }
}

fn effect(effect: &contract::Effect) -> Effect<'_> {
    match effect {
        contract::Effect::Append(contract::Append { stream, expected_version, events }) => Effect::Append {
            stream,
            expected: match expected_version {
                contract::ExpectedVersion::Any => None,
                contract::ExpectedVersion::NoStream => Some(0),
                contract::ExpectedVersion::Exact(version) => Some(*version),
            },
            events: events.iter().map(new_event).collect(),
        },
        contract::Effect::Publish(contract::Publish { sink, message_type, subject, data }) => {
            Effect::Publish { sink, message_type, subject: subject.as_deref(), data }
        }
        contract::Effect::Call(contract::Call { sink, name, data }) => Effect::Call { sink, name, data },
        contract::Effect::Schedule(contract::Schedule { name, at, data }) => {
            Effect::Schedule { name, at: Instant(*at), data }
        }
        contract::Effect::Cancel(name) => Effect::Cancel { name },
    }
}

fn new_event(event: &contract::NewEvent) -> NewEvent<'_> {
    let contract::NewEvent { event_type, schema_version, data, metadata, tags } = event;
    NewEvent { event_type, schema_version: *schema_version, data, metadata: metadata.as_deref(), tags }
}
