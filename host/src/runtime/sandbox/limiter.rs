//! Limits what an instance takes of the host's memory.

use wasmtime::ResourceLimiter;

use super::stop::Stop;
use crate::runtime::{failure::FailureKind, limits::RuntimeLimits};

/// Elements of one table; a Rust module has a few thousand.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Core instances of a component; a Rust module has three.
const MAX_INSTANCES: usize = 32;
/// Tables of a component.
const MAX_TABLES: usize = 32;
/// Memories of a component.
const MAX_MEMORIES: usize = 8;

/// Counts the memory of an instance.
#[derive(Debug)]
pub(in crate::runtime) struct Limiter {
    max_memory_bytes: usize,
    memory_bytes: usize,
}

impl Limiter {
    pub(in crate::runtime) fn new(limits: &RuntimeLimits) -> Self {
        Self { max_memory_bytes: limits.max_memory_bytes, memory_bytes: 0 }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory_bytes - current.min(self.memory_bytes) + desired;
        if wanted > self.max_memory_bytes {
            // An error ends the module at once, with a message. After `false` the module would abort without one.
            let max = self.max_memory_bytes;
            return Err(too_much(format!("it needs {wanted} bytes of memory; the limit max_memory_bytes is {max}")));
        }
        self.memory_bytes = wanted;
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
