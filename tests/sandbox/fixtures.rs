//! Checks that every module in `tests/guests/examples` is run by a test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The sources in a folder, and in those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => files(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn every_module_is_run_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The host's own tests run modules as well: they stand in folders and files of that name.
    let of_host = files(&root.join("host/src")).into_iter().filter(|path| path.to_string_lossy().contains("tests"));
    let tests = ["tests/sandbox", "tests/e2e"].map(|folder| files(&root.join(folder))).concat();
    let tests: String = tests.into_iter().chain(of_host).map(|path| fs::read_to_string(path).unwrap()).collect();
    let examples = files(&root.join("tests/guests/examples"));
    assert!(!examples.is_empty());
    let unused: BTreeSet<String> = examples
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !tests.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unused.is_empty(), "no test runs these of tests/guests/examples: {unused:?}");
}
