//! Rust's target of modules, added with rustup where it is missing.
//!
//! It uses no other file of this crate: `test-support` takes it in as well, by `#[path]`.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The target that modules are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Why the target is missing. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("`rustc` is not installed, and modules are compiled with it; https://rustup.rs installs Rust")]
    NoCompiler,
    #[error("cannot run `rustc`: {0}")]
    Compiler(io::Error),
    #[error("the installed Rust does not know the target {TARGET}, which modules are compiled for: {0}")]
    Unknown(String),
    #[error(
        "Rust's target {TARGET}, which modules are compiled for, is not installed, and rustup cannot add it, since this Rust is not \
         one of its toolchains (there is no {}); add it with what has installed Rust, or install Rust from https://rustup.rs", .0.display()
    )]
    NotOfRustup(PathBuf),
    #[error("cannot wait for others that add a target to the toolchain {0}: {1}")]
    Lock(String, io::Error),
    #[error(
        "Rust's target {TARGET}, which modules are compiled for, is not installed, and rustup has not added it, as its output above \
         says; this adds it: rustup target add --toolchain {0} {TARGET}"
    )]
    NotAdded(String),
}

/// Adds the target to the toolchain that a folder has, if it is missing there. What is done is said, and rustup says more on stderr.
///
/// # Errors
/// It is missing and cannot be added.
pub(crate) fn add_if_missing(folder: &Path, say: impl FnOnce(&str)) -> Result<(), TargetError> {
    let libraries = libraries(folder)?;
    if libraries.is_dir() {
        return Ok(());
    }
    let Some(toolchain) = toolchain(&libraries) else { return Err(TargetError::NotOfRustup(libraries)) };
    let name = toolchain.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // One at a time: two rustups at once break each other's installation. Who waited may find that it is there.
    let locked = File::open(&toolchain).and_then(|folder| folder.lock().map(|()| folder));
    let _locked = locked.map_err(|error| TargetError::Lock(name.clone(), error))?;
    if libraries.is_dir() {
        return Ok(());
    }
    let arguments = ["target", "add", "--toolchain", &name, TARGET];
    say(&format!(
        "Rust's target {TARGET}, which modules are compiled for, is not installed; adding it: rustup {}",
        arguments.join(" ")
    ));
    // Not to stdout, which is for data.
    let added = Command::new("rustup").args(arguments).stdin(Stdio::null()).stdout(io::stderr()).status();
    if added.is_ok_and(|status| status.success()) && libraries.is_dir() {
        Ok(())
    } else {
        Err(TargetError::NotAdded(name))
    }
}

/// The folder of the target's libraries, which exists once the target is installed.
fn libraries(folder: &Path) -> Result<PathBuf, TargetError> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")));
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder).stdin(Stdio::null());
    let output = rustc.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => TargetError::NoCompiler,
        _ => TargetError::Compiler(error),
    })?;
    if !output.status.success() {
        return Err(TargetError::Unknown(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// The folder of the toolchain that has these libraries, if it is one of rustup's.
fn toolchain(libraries: &Path) -> Option<PathBuf> {
    let output = Command::new("rustup").args(["show", "home"]).stdin(Stdio::null()).output().ok()?;
    let home = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let toolchains = home.join("toolchains").canonicalize().ok()?;
    let toolchain = libraries.ancestors().find(|folder| folder.parent() == Some(&toolchains))?;
    Some(toolchain.to_owned())
}
