//! Rust's target for modules, added where it is missing.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The target that modules are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Adds the target with rustup, if the toolchain of a workspace lacks it. rustup says on stderr what it does.
///
/// # Panics
/// If it is missing and cannot be added, with the command that adds it.
pub(crate) fn add_if_missing(workspace: &Path) {
    let libraries = libraries(workspace);
    if libraries.is_dir() {
        return;
    }
    // One process at a time: two rustups at once break each other's installation.
    let lock =
        File::create(env::temp_dir().join("gnomon-tests-rustup.lock")).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.unwrap_or_else(|error| panic!("cannot lock the installation of {TARGET}: {error}"));
    if libraries.is_dir() {
        return;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(workspace).stdin(Stdio::null());
    let added = rustup.status().is_ok_and(|status| status.success()) && fs::exists(&libraries).unwrap_or_default();
    assert!(
        added,
        "Rust's target {TARGET}, which modules are built for, is missing: `rustup target add {TARGET}` adds it"
    );
}

/// The folder of the target's libraries, which exists once the target is installed.
fn libraries(workspace: &Path) -> PathBuf {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(workspace);
    let output = rustc.output().unwrap_or_else(|error| panic!("cannot run rustc: {error}"));
    assert!(output.status.success(), "rustc does not know {TARGET}: {}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
