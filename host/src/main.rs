//! The program `gnomon`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Events and rows are made by one thread and dropped by another, which the allocator of glibc is slow at (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    gnomon::cli::run()
}
