//! No file uses one that uses it, be it through others.
//!
//! A name counts for the file that defines it, through however many re-exports it comes. Methods do not count, since nothing but
//! the compiler knows whose they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};

use crate::tree::Tree;

const CRATES: &[&str] = &["host/src", "guest-sdk/src", "guest-sdk/derive/src", "guest-sdk/values/src"];

/// The files of each circle, with a name that one uses from the other for each arrow in it.
fn circles(tree: &Tree) -> Vec<(BTreeSet<String>, String)> {
    let arrows = tree.arrows();
    let graph: DiGraphMap<&str, ()> = arrows.keys().map(|(from, to)| (*from, *to)).collect();
    let several = tarjan_scc(&graph).into_iter().filter(|files| files.len() > 1);
    several.map(|files| circle(&files.into_iter().collect(), &arrows)).collect()
}

fn circle(files: &BTreeSet<&str>, arrows: &BTreeMap<(&str, &str), String>) -> (BTreeSet<String>, String) {
    let inside = arrows.iter().filter(|((from, to), _)| files.contains(from) && files.contains(to));
    let arrows: Vec<String> = inside.map(|((from, to), name)| format!("    {from} → {to} ({name})")).collect();
    (files.iter().map(|file| (*file).to_owned()).collect(), arrows.join("\n"))
}

#[test]
fn no_files_know_each_other_in_a_circle() {
    let mut found = Vec::new();
    for folder in CRATES {
        let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder));
        let circles = circles(&tree).into_iter();
        found
            .extend(circles.map(|(files, arrows)| format!("{} files in a circle in {folder}:\n{arrows}", files.len())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn circles_of(files: &[(&str, &str)]) -> Vec<BTreeSet<String>> {
    let root = ("lib.rs", "mod room; pub use self::room::A;");
    let tree = Tree::of(files.iter().chain([&root]).map(|(file, source)| ((*file).to_owned(), (*source).to_owned())));
    circles(&tree).into_iter().map(|(files, _)| files).collect()
}

#[test]
fn circles_are_found_through_re_exports() {
    let files = [
        ("room/mod.rs", "mod a; mod b; mod c; pub use self::{a::A, b::*};"),
        ("room/a.rs", "use super::b::{self}; pub struct A(b::B);"),
        ("room/b.rs", "pub struct B; fn f() { write!(x, \"{}\", crate::A::new()) }"),
        ("room/c.rs", "use super::{A, B}; use crate::room;"),
    ];
    assert_eq!(circles_of(&files), [["room/a.rs", "room/b.rs"].map(str::to_owned).into()]);
}

#[test]
fn whoever_only_declares_and_passes_on_is_in_no_circle() {
    let files = [
        ("room/mod.rs", "mod a; pub use self::a::A;"),
        ("room/a.rs", "use super::A as Own; pub struct A; mod inner { use super::A; } #[cfg(test)] use super::b::B;"),
        ("room/b.rs", "use super::A; pub struct B;"),
    ];
    assert_eq!(circles_of(&files), [] as [BTreeSet<String>; 0]);
}

#[test]
fn a_room_that_defines_and_uses_is_in_the_circle() {
    let files = [
        ("room/mod.rs", "mod a; pub use self::a::A; pub struct Room(A);"),
        ("room/a.rs", "pub struct A; impl super::Room {}"),
    ];
    assert_eq!(circles_of(&files), [["room/a.rs", "room/mod.rs"].map(str::to_owned).into()]);
}
