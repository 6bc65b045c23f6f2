//! What this program brings along is what cargo would publish.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::read::GzDecoder;

use super::{RUSTFMT, write};

/// The crates, and their folders in the folder of the SDK.
const CRATES: [(&str, &str); 3] = [("gnomon-sdk", ""), ("gnomon-sdk-derive", "derive"), ("gnomon-values", "values")];

/// Files that cargo adds to what it packages.
const BY_CARGO: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml.orig"];

type Files = BTreeMap<PathBuf, String>;

/// The files that cargo would publish, in one folder.
fn packaged() -> Files {
    let target = tempfile::tempdir().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--no-verify", "--allow-dirty", "--offline", "--target-dir"]).arg(target.path());
    for (name, _) in CRATES {
        cargo.args(["--package", name]);
    }
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut found = Files::new();
    for (name, folder) in CRATES {
        let root = format!("{name}-{}", env!("CARGO_PKG_VERSION"));
        let archive = fs::File::open(target.path().join(format!("package/{root}.crate"))).unwrap();
        for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().strip_prefix(&root).unwrap().to_owned();
            if BY_CARGO.iter().any(|by_cargo| path == Path::new(by_cargo)) {
                continue;
            }
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            if path == Path::new("Cargo.toml") {
                text = manifest(name, &text);
            }
            found.insert(Path::new(folder).join(path), text);
        }
    }
    found
}

/// The manifest of a crate, made of the one that cargo would publish. It names the other crates by their paths.
///
/// These crates are members of the workspace that they come to lie in, so that `cargo test --workspace` and `cargo clippy --workspace` look at
/// them. There is nothing to test without the files of Gnomon's tests, and newer versions of clippy must not fail the work of others.
fn manifest(name: &str, published: &str) -> String {
    let mut made = format!(
        "# {name}, as `gnomon new` writes it; what is changed here is lost when a newer one takes its place.\n"
    );
    // What stands before the first section is a remark of cargo's.
    for section in published.split("\n[").skip(1) {
        let (head, body) = section.split_once("]\n").unwrap();
        let of_tests = head.starts_with("dev-dependencies") || head.contains(".dev-dependencies");
        if of_tests || head == "lints" || head.starts_with("lints.") {
            continue;
        }
        made += &format!("\n[{head}]\n{}", body.trim());
        if head == "lib" {
            made += "\ntest = false\ndoctest = false";
        }
        let other = head.strip_prefix("dependencies.").and_then(|other| CRATES.iter().find(|(name, _)| *name == other));
        if let Some((_, folder)) = other {
            let path = if name == "gnomon-sdk" { (*folder).to_owned() } else { format!("../{folder}") };
            made += &format!("\npath = \"{path}\"");
        }
        made.push('\n');
    }
    made + "\n[lints.clippy]\nall = \"allow\"\n"
}

/// The files under a folder.
fn read(folder: &Path) -> Files {
    fn walk(root: &Path, folder: &Path, found: &mut Files) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = Files::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn what_is_written_is_what_cargo_would_publish() {
    let packaged = packaged();
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/sdk");
    let bless = env::var_os("GNOMON_BLESS").is_some();
    for (_, folder) in CRATES {
        let path = Path::new(folder).join("Cargo.toml");
        let kept = manifests.join(format!("{}.txt", path.display()));
        if bless {
            fs::write(&kept, &packaged[&path]).unwrap();
        }
        assert!(
            fs::read_to_string(&kept).unwrap_or_default() == packaged[&path],
            "{} is old: run this test once with GNOMON_BLESS=1, and once more without",
            kept.display()
        );
    }
    // The program that has just written a manifest has the old one within itself.
    if bless {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path()).unwrap();
    let mut written = read(folder.path());
    assert!(written.remove(Path::new(RUSTFMT)).is_some());
    assert_eq!(written.keys().collect::<Vec<_>>(), packaged.keys().collect::<Vec<_>>());
    let differ: Vec<_> =
        written.iter().filter(|(path, text)| packaged[*path] != **text).map(|(path, _)| path).collect();
    assert!(differ.is_empty(), "{differ:?}");
    // Both come from the repository; what must be there is named once.
    for path in ["src/lib.rs", "src/testing/scenario.rs", "wit/projection.wit", "derive/src/lib.rs", "values/LICENSE"] {
        assert!(written.contains_key(Path::new(path)), "{path}");
    }
}

#[test]
fn nothing_is_inherited_from_a_workspace() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path()).unwrap();
    for (name, crate_folder) in CRATES {
        let manifest = fs::read_to_string(folder.path().join(crate_folder).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("workspace"), "{manifest}");
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{manifest}");
        assert!(manifest.contains(&format!("\nversion = \"{}\"\n", env!("CARGO_PKG_VERSION"))), "{manifest}");
    }
}
