//! Checks that every module in `tests/guests/examples` is run by a test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn every_module_is_run_by_a_test() {
    let tests = ["sandbox", "e2e"].map(files).concat();
    let tests: String = tests.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let examples = files("guests/examples");
    assert!(!examples.is_empty());
    let unused: BTreeSet<String> = examples
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !tests.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unused.is_empty(), "no test runs these of tests/guests/examples: {unused:?}");
}
