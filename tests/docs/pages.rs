//! The pages, whether they are run or not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    PAGES,
    example::{Action, examples},
    links::links_and_anchors,
    markdown::{Block, blocks, links_to_nothing},
    repository,
};

/// Pages whose blocks are not examples, and why.
const NO_EXAMPLES: &[(&str, &str)] =
    &[("docs/cli.md", "it is made of the help texts, which a test holds; its blocks are lines of usage")];

/// Every page of the repository, by its path from there.
pub(crate) fn all() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository(), &mut found);
    let name = |path: PathBuf| path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned();
    let mut found: Vec<String> = found.into_iter().map(name).collect();
    found.sort();
    found
}

pub(crate) fn read(page: &str) -> String {
    fs::read_to_string(repository().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// A block that is not a drawing.
fn is_example(block: &Block) -> bool {
    block.language != "mermaid"
}

#[test]
fn every_example_is_run_or_says_why_not() {
    let mut found = Vec::new();
    for page in all() {
        let text = read(&page);
        match examples(&text) {
            _ if NO_EXAMPLES.iter().any(|(other, _)| *other == page) => {}
            Err(problems) => found.extend(problems.into_iter().map(|problem| format!("{page}:{problem}"))),
            Ok(examples) => {
                let run = examples.iter().find(|example| !matches!(example.action, Action::NotRun));
                if let Some(example) = run.filter(|_| PAGES.iter().all(|of| of.path != page)) {
                    found.push(format!("{page}:{}: tests/docs/main.rs does not run this page", example.line));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn pages_that_are_run_have_examples() {
    let excused = NO_EXAMPLES.iter().map(|(page, _)| *page);
    for page in PAGES.iter().map(|page| page.path).chain(excused) {
        assert!(blocks(&read(page)).0.iter().any(is_example), "{page} has no example: take it off the list");
    }
}

/// The README of the SDK is read on a code host, and as the first page of the crate's documentation.
#[test]
fn the_readme_of_the_sdk_has_nothing_that_only_rustdoc_understands() {
    let page = read("guest-sdk/README.md");
    let hidden = |line: &&str| line.trim_start().starts_with("# ") || line.trim() == "#";
    for block in blocks(&page).0.iter().filter(|block| block.language.starts_with("rust")) {
        assert_eq!(block.language, "rust", "line {}", block.line);
        assert_eq!(block.text.lines().find(hidden), None, "line {}", block.line);
    }
    assert_eq!(links_to_nothing(&page), Vec::<String>::new());
}

/// Where a crate is published there is nothing beside it.
#[test]
fn the_readmes_of_published_crates_link_to_nothing_outside_of_them() {
    for page in ["guest-sdk/README.md", "guest-sdk/derive/README.md", "guest-sdk/values/README.md"] {
        let leads_out = |link: &String| !link.starts_with('#') && !link.starts_with("https://");
        let links = links_and_anchors(&read(page)).0;
        assert!(!links.is_empty(), "{page}");
        assert_eq!(links.into_iter().filter(leads_out).collect::<Vec<_>>(), Vec::<String>::new(), "{page}");
    }
}

#[test]
fn nothing_that_is_pasted_has_a_placeholder() {
    let mut found = Vec::new();
    for page in PAGES.iter().map(|page| page.path) {
        for example in examples(&read(page)).unwrap_or_default() {
            let pasted = matches!(example.action, Action::Run(_) | Action::Write { .. } | Action::Excerpt { .. });
            for (line, text) in (example.line + 1..).zip(example.text.lines()).filter(|_| pasted) {
                if text.contains('…') {
                    found.push(format!("{page}:{line}: {text}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "`…` in what readers paste:\n{}", found.join("\n"));
}
