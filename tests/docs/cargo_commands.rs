//! The pages name tests to run. Running them here would run all tests twice; that they are there is checked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::{
    markdown::{blocks, inline_codes},
    pages, repository,
};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// The packages of this workspace by their names.
fn packages() -> BTreeMap<String, Package> {
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    metadata.packages.into_iter().map(|package| (package.name.clone(), package)).collect()
}

/// What `cargo test` is told; `None` for another command.
#[derive(Debug, Default, PartialEq, Eq)]
struct CargoTest<'a> {
    package: Option<&'a str>,
    /// `lib` for the unit tests, else the name of a test target; `None` for all.
    target: Option<&'a str>,
    filter: Option<&'a str>,
}

fn cargo_test(command: &str) -> Option<CargoTest<'_>> {
    let command = command.split('#').next().unwrap_or_default();
    // Variables stand before the command.
    let mut words = command.split_whitespace().skip_while(|word| word.contains('='));
    if (words.next(), words.next()) != (Some("cargo"), Some("test")) {
        return None;
    }
    let mut found = CargoTest::default();
    while let Some(word) = words.next() {
        match word {
            "-p" => found.package = words.next(),
            "--test" => found.target = words.next(),
            "--lib" => found.target = Some("lib"),
            other if other.starts_with(['-', '<']) => {}
            filter => found.filter = Some(filter),
        }
    }
    Some(found)
}

impl CargoTest<'_> {
    /// Why the command would run nothing.
    fn problem(&self, packages: &BTreeMap<String, Package>) -> Option<String> {
        let name = self.package.unwrap_or("gnomon");
        let Some(package) = packages.get(name) else { return Some(format!("there is no package {name}")) };
        let target = self.target.map(|wanted| {
            let is_wanted = |target: &&Target| match wanted {
                "lib" => target.kind.iter().any(|kind| kind.ends_with("lib")),
                test => target.name == test && target.kind == ["test"],
            };
            package.targets.iter().find(is_wanted).ok_or_else(|| format!("{name} has no test target {wanted}"))
        });
        let target = match target.transpose() {
            Ok(target) => target,
            Err(problem) => return Some(problem),
        };
        let root = target.map_or(&package.manifest_path, |target| &target.src_path).parent().unwrap();
        let filter = self.filter?;
        let last = filter.trim_end_matches("::").rsplit("::").next().unwrap_or_default();
        if names(root, last) { None } else { Some(format!("nothing in {} is called {last}", root.display())) }
    }
}

/// Whether a file, a module or a function under a folder has a name that begins so.
fn names(folder: &Path, name: &str) -> bool {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().any(|path| {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            return stem != "target" && (stem == name || names(&path, name));
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && (stem == name || {
                let text = fs::read_to_string(&path).unwrap();
                text.contains(&format!("fn {name}")) || text.contains(&format!("mod {name}"))
            })
    })
}

#[test]
fn tests_that_pages_name_are_there() {
    let packages = packages();
    let (mut found, mut checked) = (Vec::new(), 0);
    for page in pages::all() {
        let text = pages::read(&page);
        let inline = inline_codes(&text).into_iter().map(|code| (code.line, code.text));
        let in_blocks = blocks(&text).0.into_iter().flat_map(|block| {
            let lines = block.text.lines().map(str::to_owned).collect::<Vec<_>>();
            (block.line + 1..).zip(lines)
        });
        for (line, command) in inline.chain(in_blocks) {
            let Some(test) = cargo_test(&command) else { continue };
            checked += 1;
            found.extend(test.problem(&packages).map(|problem| format!("{page}:{line}: {command}: {problem}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(checked > 20, "only {checked} commands were found");
}

#[test]
fn a_command_that_would_run_nothing_is_found() {
    let packages = packages();
    let problem = |command| cargo_test(command).unwrap().problem(&packages);
    assert_eq!(problem("cargo test -p gnomon --test docs a_command_that_would_run_nothing_is_found"), None);
    assert_eq!(problem("GNOMON_BLESS=1 cargo test -p gnomon --lib cli::reference   # writes it"), None);
    assert_eq!(problem("cargo test -p gnomom").unwrap(), "there is no package gnomom");
    assert_eq!(problem("cargo test --test none").unwrap(), "gnomon has no test target none");
    let gone = problem(&format!("cargo test -p gnomon --test docs {}::", "gone".repeat(2))).unwrap();
    assert!(gone.ends_with(" is called gonegone"), "{gone}");
    assert_eq!(cargo_test("cargo build"), None);
}
