//! Builds the components that the tests run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// The component that the library of a package of this workspace makes.
pub(crate) fn component(package: &str) -> Vec<u8> {
    artifact(package, package)
}

/// The component that `guests/examples/<name>.rs` makes.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    artifact("upcast-guests", name)
}

/// Builds a package once in the life of the process.
fn artifact(package: &str, name: &str) -> Vec<u8> {
    static BUILT: Mutex<BTreeMap<String, BTreeMap<String, PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let files = built.entry(package.to_owned()).or_insert_with(|| build(package));
    let Some(path) = files.get(name) else {
        panic!("package {package} has no component {name}, only {:?}", files.keys());
    };
    fs::read(path).unwrap()
}

fn build(package: &str) -> BTreeMap<String, PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).args(["build", "--target", "wasm32-wasip2", "--package", package]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    if package == "upcast-guests" {
        cargo.arg("--examples");
    }
    let output = cargo.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "cargo build of {package} ended with {}", output.status);
    let mut files = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: serde_json::Value = serde_json::from_slice(line).unwrap();
        let paths = message["filenames"].as_array().into_iter().flatten().filter_map(|path| path.as_str());
        let component = paths.map(PathBuf::from).find(|path| path.extension().is_some_and(|end| end == "wasm"));
        if let (Some(path), Some(name)) = (component, message["target"]["name"].as_str()) {
            files.insert(name.replace('_', "-"), path.clone());
            files.insert(name.to_owned(), path);
        }
    }
    files
}
