//! The WebAssembly engine, and the ticks in which it counts deadlines.

use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::runtime::limits::RuntimeLimits;

/// The resolution of deadlines.
pub(in crate::runtime) const TICK: Duration = Duration::from_millis(10);

/// Makes the engine and starts its ticks, which end when the last handle on the engine is dropped.
pub(in crate::runtime) fn start(limits: &RuntimeLimits) -> wasmtime::Result<Engine> {
    let engine = Engine::new(&config(limits))?;
    let weak = engine.weak();
    std::thread::Builder::new().name("wasm-ticks".into()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// What compiled code depends on: the engine that runs it and the process that compiles it have the same.
pub(in crate::runtime) fn code_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    // A module is a pure function, which computes the same bits on every machine.
    config.cranelift_nan_canonicalization(true);
    config.wasm_relaxed_simd(false);
    config
}

/// The pool of instances makes no difference to the code.
fn config(limits: &RuntimeLimits) -> Config {
    let mut config = code_config();
    let mut pool = PoolingAllocationConfig::default();
    pool.max_memory_size(limits.max_memory_bytes);
    pool.max_core_instances_per_component(64);
    let instances = limits.max_instances;
    pool.total_component_instances(instances).total_core_instances(instances);
    pool.total_memories(instances).total_tables(instances).total_stacks(instances);
    // An idle slot returns all but this much of its memory.
    pool.linear_memory_keep_resident(1024 * 1024);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
