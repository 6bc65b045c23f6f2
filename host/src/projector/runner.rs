//! What runs the module of a build.

use std::{collections::HashSet, convert::Infallible, sync::Arc};

use sqlx::PgPool;

use super::instances::Instances;
use crate::{
    folding::{self, BatchFolder, BatchRows, Made},
    metrics,
    read_model::TableSet,
    runtime::{BatchError, Delivery, HostMemory, ProjectionDescriptor, ProjectionModule, UpcasterChain},
};

/// Runs a projection's module on batches.
pub(super) type ModuleRunner = folding::ModuleRunner<ProjectionFolder>;

/// How a [`ModuleRunner`] runs its module.
#[derive(Debug, Default)]
pub(super) struct RunnerOptions {
    /// The upcasters that events go through first, if there are any.
    pub(super) upcasters: Option<UpcasterChain>,
    /// Whether the module gets fresh memory for each batch.
    pub(super) fresh_memory: bool,
    /// Whether the tables may lack indexes by which the module searches.
    pub(super) makes_indexes: bool,
}

/// What runs a projection's module. Must be called within a tokio runtime.
pub(super) fn module_runner(
    pool: PgPool,
    tables: Arc<TableSet>,
    module: ProjectionModule,
    RunnerOptions { upcasters, fresh_memory, makes_indexes }: RunnerOptions,
) -> ModuleRunner {
    let measures = metrics::of_host().projector.handler(module.label().name.as_str());
    let wanted = Wanted::by(module.descriptor());
    let folder = ProjectionFolder { instances: Instances::new(module, fresh_memory), wanted };
    let mut runner = ModuleRunner::new(pool, tables, folder, upcasters, measures);
    if makes_indexes {
        runner.make_indexes();
    }
    runner
}

/// The instances of a projection's module.
#[derive(Debug)]
pub(super) struct ProjectionFolder {
    pub(super) instances: Instances,
    wanted: Wanted,
}

/// The events that the projection wants of those that come out of the upcasters. Their categories are those that the log has.
#[derive(Debug)]
struct Wanted {
    /// `None` for all types.
    types: Option<HashSet<String>>,
    /// One of these tags is enough; none are needed if there are none.
    tags: HashSet<String>,
}

impl BatchFolder for ProjectionFolder {
    type Answer = Infallible;

    const READS_MORE: bool = false;

    fn wants(&self, event: &Delivery) -> bool {
        self.wanted.admits(event)
    }

    fn run(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Infallible>, BatchError> {
        Ok((self.instances.run(events, rows)?, Vec::new()))
    }

    fn run_alone(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Infallible>, BatchError> {
        Ok((self.instances.run_alone(events, rows)?, Vec::new()))
    }

    fn free_memory(&mut self) {
        self.instances.free_memory();
    }

    fn memory(&self) -> &HostMemory {
        self.instances.module().memory()
    }
}

impl Wanted {
    fn by(descriptor: &ProjectionDescriptor) -> Self {
        let types = descriptor.event_types.iter().map(|wanted| wanted.event_type.clone());
        let types = (!descriptor.all_types).then(|| types.collect());
        Self { types, tags: descriptor.tags.iter().cloned().collect() }
    }

    fn admits(&self, event: &Delivery) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&*event.event_type))
            && (self.tags.is_empty() || event.tags.iter().any(|tag| self.tags.contains(&**tag)))
    }
}
