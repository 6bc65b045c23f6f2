//! Running a module on a portion of the log, and finding the event that it fails at.

use std::{ops::Range, sync::Arc};

use sqlx::PgPool;
use tokio::runtime::Handle;

use super::rows::BuildRows;
use crate::{
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, ModuleFailure, ProjectionInstance, ProjectionModule},
};

/// A module at work, with the instance that it has now.
#[derive(Debug)]
pub(super) struct Folder {
    runtime: Handle,
    pool: PgPool,
    tables: Arc<TableSet>,
    module: ProjectionModule,
    /// Kept from batch to batch as long as all goes well.
    instance: Option<ProjectionInstance>,
}

/// Why events were not folded.
#[derive(Debug)]
pub(super) enum FoldError {
    /// The module cannot handle an event.
    Event {
        /// What the events before it changed.
        before: WriteSet,
        /// Its place among the events.
        place: usize,
        /// What the module did.
        failure: ModuleFailure,
    },
    /// Something that is not the module's fault.
    Host(BatchError),
}

impl Folder {
    /// Must be called within a tokio runtime.
    pub(super) fn new(pool: PgPool, tables: Arc<TableSet>, module: ProjectionModule) -> Self {
        Self { runtime: Handle::current(), pool, tables, module, instance: None }
    }

    /// Folds events, over what earlier ones changed that Postgres need not have yet. Blocks.
    pub(super) fn fold(&mut self, events: &[Delivery], layers: &[Arc<WriteSet>]) -> Result<WriteSet, FoldError> {
        let tables: Vec<_> = self.tables.tables().cloned().collect();
        if events.is_empty() {
            return Ok(WriteSet::new(&tables));
        }
        let first = match self.run(events, layers.to_vec()) {
            Ok(writes) => return Ok(writes),
            Err(BatchError::Module(failure)) => *failure,
            Err(error) => return Err(FoldError::Host(error)),
        };

        // One event of the batch is to blame. Parts of the batch are run again, each in fresh memory, until it stands alone.
        let mut done = WriteSet::new(&tables);
        let mut search = Search { events, suspect: None, misled: false, parts: Vec::new() };
        search.split(0..events.len(), &first);
        if search.parts.is_empty() {
            return Err(FoldError::Event { before: done, place: 0, failure: first });
        }
        while let Some(part) = search.parts.pop() {
            let mut layers = layers.to_vec();
            layers.push(Arc::new(done));
            let result = self.run(&events[part.clone()], layers.clone());
            // The rows that were read through the layers are gone with the run.
            done = layers.pop().map(Arc::unwrap_or_clone).unwrap_or_else(|| WriteSet::new(&tables));
            match result {
                Ok(writes) => {
                    search.acquit(&part);
                    done.merge(writes);
                }
                Err(BatchError::Module(failure)) if search.is_one(&part) => {
                    return Err(FoldError::Event { before: done, place: part.start, failure: *failure });
                }
                Err(BatchError::Module(failure)) => search.split(part, &failure),
                Err(error) => return Err(FoldError::Host(error)),
            }
        }
        // Every part passed by itself: what failed was the size of the batch.
        Ok(done)
    }

    fn run(&mut self, events: &[Delivery], layers: Vec<Arc<WriteSet>>) -> Result<WriteSet, BatchError> {
        let rows = BuildRows {
            runtime: self.runtime.clone(),
            pool: self.pool.clone(),
            tables: Arc::clone(&self.tables),
            layers,
        };
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(events[0].position)?,
        };
        let writes = instance.handle(events, Box::new(rows))?;
        // Only memory that has seen nothing fail is used again.
        self.instance = Some(instance);
        Ok(writes)
    }
}

/// The search for the event that a module fails at.
struct Search<'e> {
    events: &'e [Delivery],
    /// The event that a failure named and that is therefore run by itself.
    suspect: Option<usize>,
    /// Whether a suspect passed. Then failures name no good events, as those of a module that never tells where it is, and the
    /// search goes on by halves.
    misled: bool,
    /// Parts still to be run, the next one last.
    parts: Vec<Range<usize>>,
}

impl Search<'_> {
    /// Splits a part that failed into two, unless it is one event.
    fn split(&mut self, part: Range<usize>, failure: &ModuleFailure) {
        if self.is_one(&part) {
            return;
        }
        let named = part.clone().find(|&place| self.events[place].position.0 == failure.position);
        let middle = match named {
            Some(named) if named > part.start => named,
            Some(suspect) if !self.misled => {
                self.suspect = Some(suspect);
                self.end_of_event(part.start)
            }
            _ => {
                // The events into which one was split stay together.
                let half = self.start_of_event(part.start + part.len() / 2);
                if half > part.start { half } else { self.end_of_event(part.start) }
            }
        };
        self.parts.push(middle..part.end);
        self.parts.push(part.start..middle);
    }

    /// Takes note of a part that passed.
    fn acquit(&mut self, part: &Range<usize>) {
        self.misled |= self.suspect == Some(part.start) && self.is_one(part);
    }

    /// Whether a part is one event of the log, be it split.
    fn is_one(&self, part: &Range<usize>) -> bool {
        self.end_of_event(part.start) >= part.end
    }

    fn start_of_event(&self, place: usize) -> usize {
        let position = self.events[place].position;
        (0..place).rev().find(|&before| self.events[before].position != position).map_or(0, |before| before + 1)
    }

    fn end_of_event(&self, place: usize) -> usize {
        let position = self.events[place].position;
        let mut behind = place..self.events.len();
        behind.find(|&place| self.events[place].position != position).unwrap_or(self.events.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Position, SchemaVersion},
        runtime::FailureKind,
    };

    fn events(positions: &[u64]) -> Vec<Delivery> {
        let event = |position: &u64| Delivery {
            position: Position(*position),
            part: 0,
            stream: "a-1".into(),
            version: 1,
            id: uuid::Uuid::nil(),
            event_type: "Happened".into(),
            schema_version: SchemaVersion::FIRST,
            data: "{}".into(),
            metadata: None,
            time: 0,
            recorded_at: 0,
        };
        positions.iter().map(event).collect()
    }

    fn failure(position: u64) -> ModuleFailure {
        ModuleFailure { position, kind: FailureKind::Trapped, message: String::new(), backtrace: Vec::new() }
    }

    /// Runs a search over a module that fails at one event and blames what `blame` says; answers the place that is found and
    /// how many events were run.
    fn search(positions: &[u64], guilty: u64, blame: impl Fn(&[Delivery]) -> u64) -> (usize, usize) {
        let events = events(positions);
        let mut search = Search { events: &events, suspect: None, misled: false, parts: Vec::new() };
        let mut run = events.len();
        search.split(0..events.len(), &failure(blame(&events)));
        while let Some(part) = search.parts.pop() {
            run += part.len();
            let slice = &events[part.clone()];
            if !slice.iter().any(|event| event.position.0 == guilty) {
                search.acquit(&part);
            } else if search.is_one(&part) {
                return (part.start, run);
            } else {
                search.split(part, &failure(blame(slice)));
            }
        }
        panic!("the guilty event was not found");
    }

    #[test]
    fn a_module_that_says_where_it_is_is_found_out_at_once() {
        let positions: Vec<u64> = (1..=5000).collect();
        for guilty in [1, 2, 2500, 5000] {
            let (place, run) = search(&positions, guilty, |_| guilty);
            assert_eq!(place as u64 + 1, guilty);
            assert!(run <= 2 * 5000 + 1, "{run} events were run");
        }
    }

    #[test]
    fn a_module_that_does_not_is_found_out_by_halves() {
        let positions: Vec<u64> = (1..=5000).collect();
        for guilty in [1, 2, 2500, 4999, 5000] {
            let (place, run) = search(&positions, guilty, |events| events[0].position.0);
            assert_eq!(place as u64 + 1, guilty);
            assert!(run <= 8 * 5000, "{run} events were run");
        }
    }

    #[test]
    fn the_parts_of_a_split_event_stay_together() {
        let (place, _) = search(&[1, 2, 2, 2, 3], 2, |events| events[0].position.0);
        assert_eq!(place, 1);
        let (place, _) = search(&[7, 7, 7, 8], 8, |_| 8);
        assert_eq!(place, 3);
    }
}
