//! A deterministic WASI, which the runtime of a language needs to link and start.
//!
//! The clock shows the time of the current event, randomness is the same sequence for every event, there are no environment
//! variables, arguments, files or network, and a module cannot wait. So what a module computes is a function of its events.

use std::{convert::Infallible, time::Duration};

use rand::TryRng;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiView,
    cli::{WasiCli, WasiCliView as _},
    clocks::{WasiClocks, WasiClocksView as _},
    filesystem::{WasiFilesystem, WasiFilesystemView as _},
    p2::{
        DynPollable,
        bindings::{cli, clocks, filesystem::preopens, random, sync},
    },
    random::WasiRandom,
};
use wasmtime_wasi_io::bindings::wasi::io::error;

use super::{
    event_cursor::EventCursor,
    output::{GuestOutput, OutputStream},
    stop::Stop,
};
use crate::runtime::failure::FailureKind;

/// Interfaces of WASI that the runtime of a language may import. Modules import most of them without calling them.
pub(in crate::runtime) const ALLOWED: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

const MONOTONIC_CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.12";

/// WASI resources, such as streams, that an instance may hold; a Rust module holds a handful.
pub(in crate::runtime) const MAX_RESOURCES: usize = 1000;
/// Random bytes that one call may ask for.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Adds the [`ALLOWED`] interfaces of WASI to a linker. The others are not there, sockets among them; they are also a third of what would
/// have to be compiled for each world.
pub(in crate::runtime) fn link<T: WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::exit::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::stderr::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::stdin::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::stdout::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_input::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_output::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stderr::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stdin::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    cli::terminal_stdout::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    clocks::monotonic_clock::add_to_linker::<T, WasiClocks>(linker, T::clocks)?;
    clocks::wall_clock::add_to_linker::<T, WasiClocks>(linker, T::clocks)?;
    preopens::add_to_linker::<T, WasiFilesystem>(linker, T::filesystem)?;
    sync::filesystem::types::add_to_linker::<T, WasiFilesystem>(linker, T::filesystem)?;
    error::add_to_linker::<T, HasResources>(linker, |guest| guest.ctx().table)?;
    sync::io::poll::add_to_linker::<T, HasResources>(linker, |guest| guest.ctx().table)?;
    sync::io::streams::add_to_linker::<T, HasResources>(linker, |guest| guest.ctx().table)?;
    random::insecure::add_to_linker::<T, WasiRandom>(linker, |guest| guest.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<T, WasiRandom>(linker, |guest| guest.ctx().ctx.random())?;
    random::random::add_to_linker::<T, WasiRandom>(linker, |guest| guest.ctx().ctx.random())?;
    // The functions of wasmtime-wasi would block the batch's thread for as long as the module asks, and no deadline interrupts
    // them.
    linker.allow_shadowing(true);
    let mut clock = linker.instance(MONOTONIC_CLOCK)?;
    for name in ["subscribe-instant", "subscribe-duration"] {
        clock.func_wrap(name, |_, (_,): (u64,)| -> wasmtime::Result<(Resource<DynPollable>,)> {
            let message = "it waits for time to pass, which never happens: a module's clock stands still at the time of its event";
            Err(Stop::Exceeded { kind: FailureKind::BrokeContract, message: message.to_owned() }.into())
        })?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

/// Streams and what can be waited for are resources.
struct HasResources;

impl HasData for HasResources {
    type Data<'a> = &'a mut ResourceTable;
}

/// The WASI of one instance.
pub(in crate::runtime) fn context(event: &EventCursor, output: &GuestOutput) -> WasiCtx {
    WasiCtx::builder()
        .stdout(output.stream(OutputStream::Stdout))
        .stderr(output.stream(OutputStream::Stderr))
        .wall_clock(EventClock(event.clone()))
        .monotonic_clock(EventClock(event.clone()))
        .secure_random(FixedSequence(event.clone()))
        .insecure_random(FixedSequence(event.clone()))
        .insecure_random_seed(0x6e6f_6d6f_6e67)
        .max_random_size(MAX_RANDOM_BYTES)
        .allow_blocking_current_thread(true)
        .build()
}

/// A clock that stands still at the time of the current event.
struct EventClock(EventCursor);

impl HostWallClock for EventClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        // WASI has no time before 1970.
        Duration::from_micros(u64::try_from(self.0.time().0).unwrap_or(0))
    }
}

impl HostMonotonicClock for EventClock {
    fn resolution(&self) -> u64 {
        1000
    }

    fn now(&self) -> u64 {
        u64::try_from(HostWallClock::now(self).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Random numbers that start over with each event, so that they do not depend on the events before.
struct FixedSequence(EventCursor);

impl FixedSequence {
    /// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>, over the count of draws.
    fn next(&self) -> u64 {
        let mut z = self.0.draw().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl TryRng for FixedSequence {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
