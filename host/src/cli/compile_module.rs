//! `gnomon compile-module`, which hosts run: it compiles one component for a host.

use std::process::ExitCode;

use clap::Args;

use crate::runtime::{CompileOrder, compile_for_host};

/// Compile the component on stdin for a host, within limits.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct CompileModule {
    /// The bytes of the component
    component_bytes: u64,
    /// Maximum bytes of memory
    max_memory_bytes: u64,
    /// Maximum seconds of a processor's time
    max_seconds: u64,
}

impl CompileModule {
    pub(super) fn run(self) -> ExitCode {
        let Self { component_bytes, max_memory_bytes, max_seconds } = self;
        compile_for_host(CompileOrder { component_bytes, max_memory_bytes, max_seconds })
    }
}
