//! Builds modules, and gives them by name.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::rust_target::{self, TARGET};

/// The component that the library of a package of this workspace makes, such as `bank`.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn component(package: &str) -> Vec<u8> {
    artifact(package, package.replace('-', "_"))
}

/// The component that `tests/guests/examples/<name>.rs` makes.
///
/// # Panics
/// If the examples cannot be built, or if there is none of this name.
#[must_use]
pub fn guest(name: &str) -> Vec<u8> {
    artifact("guests", name.to_owned())
}

/// The component that `tests/upcast/guests/examples/<name>.rs` makes.
///
/// # Panics
/// If the examples cannot be built, or if there is none of this name.
#[must_use]
pub fn upcaster(name: &str) -> Vec<u8> {
    artifact("upcast-guests", name.to_owned())
}

/// The component that `tests/worlds/examples/<name>.rs` makes, of a world that no host knows.
///
/// # Panics
/// If the examples cannot be built, or if there is none of this name.
#[must_use]
pub fn of_another_world(name: &str) -> Vec<u8> {
    artifact("world-guests", name.to_owned())
}

/// Builds a package once in the life of the process; other processes wait for cargo's own lock, and find all of it fresh.
fn artifact(package: &str, name: String) -> Vec<u8> {
    static BUILT: Mutex<BTreeMap<String, BTreeMap<String, PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let files = built.entry(package.to_owned()).or_insert_with(|| build(package));
    let Some(path) = files.get(&name) else {
        panic!("package {package} has no component {name}, only {:?}", files.keys());
    };
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Builds the components of a package; answers their files by the names of their targets.
fn build(package: &str) -> BTreeMap<String, PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // If it can be said.
    let say = |what: &str| drop(writeln!(io::stderr(), "{what}"));
    rust_target::add_if_missing(&workspace, say).unwrap_or_else(|error| panic!("{error}"));
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&workspace).args(["build", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    cargo.args(["--package", package]);
    if package.ends_with("guests") {
        cargo.arg("--examples");
    }
    let output = cargo.stderr(Stdio::inherit()).output().unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(output.status.success(), "cargo build of {package} ended with {}", output.status);
    let mut files = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: serde_json::Value = serde_json::from_slice(line)
            .unwrap_or_else(|error| panic!("cargo said {}: {error}", String::from_utf8_lossy(line)));
        let name = message["target"]["name"].as_str();
        let paths = message["filenames"].as_array().into_iter().flatten().filter_map(|path| path.as_str());
        if let Some(path) = paths.map(PathBuf::from).find(|path| path.extension().is_some_and(|end| end == "wasm"))
            && let Some(name) = name
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    files
}
