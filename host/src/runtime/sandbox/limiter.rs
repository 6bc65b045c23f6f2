//! Limits what an instance takes of the host's memory.

use wasmtime::ResourceLimiter;

use super::{host_memory::HostMemory, resources::Resources, stop::Stop};
use crate::runtime::failure::FailureKind;

/// Elements of one table; a Rust module has a few thousand.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Core instances of a component; a Rust module has three.
const MAX_INSTANCES: usize = 32;
/// Tables of a component.
const MAX_TABLES: usize = 32;
/// Memories of a component.
const MAX_MEMORIES: usize = 8;

/// Counts the memory of an instance, and gives it back to the host in the end.
#[derive(Debug)]
pub(in crate::runtime) struct Limiter {
    max_bytes: usize,
    /// The limit that `max_bytes` is.
    limit: &'static str,
    memory_bytes: usize,
    host: HostMemory,
}

impl Limiter {
    pub(in crate::runtime) fn new(Resources { limits, memory }: &Resources) -> Self {
        // For more than all together may have, no module can wait.
        let (max_bytes, limit) = if limits.max_memory_bytes <= memory.max() {
            (limits.max_memory_bytes, "max_memory_bytes")
        } else {
            (memory.max(), "max_total_memory_bytes")
        };
        Self { max_bytes, limit, memory_bytes: 0, host: memory.clone() }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.host.give_back(self.memory_bytes);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory_bytes - current.min(self.memory_bytes) + desired;
        if wanted > self.max_bytes {
            // An error ends the module at once, with a message. After `false` the module would abort without one.
            let Self { max_bytes: max, limit, .. } = self;
            return Err(too_much(format!("it needs {wanted} bytes of memory; the limit {limit} is {max}")));
        }
        let more = wanted.saturating_sub(self.memory_bytes);
        self.host.take(more).map_err(|error| Stop::HostMemory(error.0))?;
        self.memory_bytes += more;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS {
            let message = format!("it needs a table of {desired} elements; the limit is {MAX_TABLE_ELEMENTS}");
            return Err(too_much(message));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

fn too_much(message: String) -> wasmtime::Error {
    Stop::Exceeded { kind: FailureKind::OutOfMemory, message }.into()
}
