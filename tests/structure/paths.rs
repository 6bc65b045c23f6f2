//! Which rooms and libraries a file names.

use std::collections::BTreeSet;

use syn::{UseTree, visit::Visit};

/// The first two parts of every path in a file that leaves it: `crate::room`, or the name of a library. `module` is where the
/// file stands, so that `super::…` is understood.
pub(crate) fn named(source: &str, module: &[String]) -> BTreeSet<String> {
    let file = syn::parse_file(source).unwrap();
    let mut visitor = Visitor { module: module.to_vec(), found: BTreeSet::new() };
    visitor.visit_file(&file);
    visitor.found
}

struct Visitor {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Visitor {
    fn add(&mut self, parts: &[String]) {
        let mut place = self.module.clone();
        let mut rest = parts;
        match rest.first().map(String::as_str) {
            Some("crate") => {
                place.clear();
                rest = &rest[1..];
            }
            Some("self") => rest = &rest[1..],
            Some("super") => {
                while rest.first().is_some_and(|part| part == "super") {
                    place.pop();
                    rest = &rest[1..];
                }
            }
            // A library, or something that the file itself names.
            Some(first) => {
                self.found.insert(first.to_owned());
                return;
            }
            None => return,
        }
        place.extend(rest.iter().cloned());
        if let Some(room) = place.first() {
            self.found.insert(format!("crate::{room}"));
        }
    }

    fn add_tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
            UseTree::Name(name) => self.add_with(before, name.ident.to_string()),
            UseTree::Rename(rename) => self.add_with(before, rename.ident.to_string()),
            UseTree::Glob(_) => self.add(before),
        }
    }

    fn add_with(&mut self, before: &[String], last: String) {
        let mut parts = before.to_vec();
        parts.push(last);
        self.add(&parts);
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&parts);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Tests may look over walls. Other inline modules are one step further in.
        let is_test =
            item.attrs.iter().any(|attribute| attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test"));
        if !is_test {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let source = "
        use crate::{event_log::{Position, read::Page}, postgres};
        use super::super::runtime::Module;
        use self::inner::Thing;
        fn f() -> wasmtime::Result<()> { crate::modules::load(); super::sibling(); }
        #[cfg(test)] mod tests { use axum::Router; }
    ";
    let module = ["projector".to_owned(), "worker".to_owned()];
    let found = named(source, &module);
    let expected =
        ["crate::event_log", "crate::modules", "crate::postgres", "crate::projector", "crate::runtime", "wasmtime"];
    assert_eq!(found, expected.map(str::to_owned).into());
}
