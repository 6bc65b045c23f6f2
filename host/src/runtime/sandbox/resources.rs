//! What the instances of a host have to live on.

use super::host_memory::HostMemory;
use crate::runtime::limits::RuntimeLimits;

/// The limits of each instance, and the memory that all of them share. Clones are handles on the same memory.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Resources {
    pub(in crate::runtime) limits: RuntimeLimits,
    pub(in crate::runtime) memory: HostMemory,
}

impl Resources {
    /// The limits, and memory that nobody uses yet.
    pub(in crate::runtime) fn new(limits: RuntimeLimits) -> Self {
        Self { limits, memory: HostMemory::new(limits.max_total_memory_bytes) }
    }
}
