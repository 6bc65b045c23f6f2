//! What is counted of loading modules.

use std::time::Duration;

use super::{counter::Counter, histogram::Histogram, names, register::Register};

/// What is counted of loading modules.
#[derive(Debug)]
pub struct ModuleMeasures {
    memory: Counter,
    disk: Counter,
    compiler: Counter,
    compile_duration: Histogram,
}

impl ModuleMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let loads = register.counters_of(names::MODULE_LOADS, &["memory", "disk", "compiler"]);
        Self {
            memory: loads.of(&["memory"]),
            disk: loads.of(&["disk"]),
            compiler: loads.of(&["compiler"]),
            compile_duration: register.histogram(names::COMPILE_DURATION),
        }
    }

    /// A module was wanted that is in memory.
    pub fn in_memory(&self) {
        self.memory.inc();
    }

    /// A module was wanted whose code is on the disk.
    pub fn on_disk(&self) {
        self.disk.inc();
    }

    /// A module was wanted that had to be compiled, which took so long.
    pub fn compiled(&self, time: Duration) {
        self.compiler.inc();
        self.compile_duration.observe(time);
    }
}
