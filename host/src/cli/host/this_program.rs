//! The program that runs.

use std::path::{Path, PathBuf};

/// The path by which a host starts processes of its own program.
pub(in crate::cli) fn this_program() -> PathBuf {
    // On Linux this is the very program that runs, also when a newer one stands at its path now.
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return running.to_owned();
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("gnomon"))
}
