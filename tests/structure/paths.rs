//! What a file defines, imports and names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{UseTree, Visibility, visit::Visit};

/// A path; the first part is `crate` where the file says so itself or by `self` and `super`.
pub(crate) type Parts = Vec<String>;

/// What a module holds: a file, or one that is written out in a file.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The names of the modules that lead to it, without `crate`.
    pub(crate) module_path: Parts,
    /// Types, functions, constants and macros.
    pub(crate) defines: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Every path outside of an import, and every lone name, which may be an imported one.
    pub(crate) names: BTreeSet<Parts>,
}

#[derive(Debug)]
pub(crate) struct Import {
    /// What it is called here; none for all that is in a module.
    pub(crate) name: Option<String>,
    pub(crate) path: Parts,
    /// Whether others see it, too.
    pub(crate) is_shared: bool,
}

/// Reads a file: the module that it is, and those written out in it; without what is for tests only.
pub(crate) fn read(source: &str, module_path: &[String]) -> Vec<Module> {
    let file = syn::parse_file(source).unwrap();
    let module = Module { module_path: module_path.to_vec(), ..Module::default() };
    let mut visitor = Visitor { open: vec![module], done: Vec::new() };
    visitor.visit_file(&file);
    visitor.done.extend(visitor.open);
    visitor.done
}

/// The rooms and libraries that a file names: `crate::room`, or the name of a library.
pub(crate) fn outside(source: &str, module_path: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for module in read(source, module_path) {
        let imported = module.imports.iter().map(|import| &import.path);
        for path in imported.chain(module.names.iter().filter(|path| path.len() > 1)) {
            match path.as_slice() {
                [root, room, ..] if root == "crate" => found.insert(format!("crate::{room}")),
                [root] if root == "crate" => false,
                [first, ..] => found.insert(first.clone()),
                [] => false,
            };
        }
    }
    found
}

struct Visitor {
    /// The module being read, behind those around it.
    open: Vec<Module>,
    done: Vec<Module>,
}

impl Visitor {
    fn module(&mut self) -> &mut Module {
        self.open.last_mut().unwrap()
    }

    /// A path without `self` and `super` in front.
    fn absolute(&mut self, parts: &[String]) -> Parts {
        let mut module_path = self.module().module_path.clone();
        let mut rest = parts;
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "super" => drop(module_path.pop()),
                "self" => {}
                _ => break,
            }
            rest = behind;
        }
        if rest.len() == parts.len() {
            return parts.to_vec();
        }
        ["crate".to_owned()].into_iter().chain(module_path).chain(rest.iter().cloned()).collect()
    }

    fn name(&mut self, parts: &[String]) {
        let path = self.absolute(parts);
        self.module().names.insert(path);
    }

    fn import(&mut self, tree: &UseTree, before: &mut Parts, is_shared: bool) {
        let (name, last) = match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, is_shared);
                before.pop();
                return;
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, before, is_shared));
                return;
            }
            UseTree::Name(name) => (Some(name.ident.to_string()), Some(name.ident.to_string())),
            UseTree::Rename(rename) => (Some(rename.rename.to_string()), Some(rename.ident.to_string())),
            UseTree::Glob(_) => (None, None),
        };
        let mut path = before.clone();
        // `use room::{self}` names the room.
        let itself = last.as_deref() == Some("self") && !before.is_empty();
        let name = if itself && name.as_deref() == Some("self") { before.last().cloned() } else { name };
        path.extend(last.filter(|_| !itself));
        let path = self.absolute(&path);
        self.module().imports.push(Import { name, path, is_shared });
    }

    /// Paths in what a macro is given.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path = Parts::new();
        // What stands between one word and the next.
        let mut between = String::new();
        for token in tokens {
            match token {
                TokenTree::Punct(punct) => {
                    between.push(punct.as_char());
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if between != "::" {
                        self.name_unless_empty(&mut path);
                    }
                    // Behind a point stands a field or a method.
                    if between != "." {
                        path.push(ident.to_string());
                    }
                }
                TokenTree::Group(group) => {
                    self.name_unless_empty(&mut path);
                    self.scan(group.stream());
                }
                TokenTree::Literal(_) => self.name_unless_empty(&mut path),
            }
            between.clear();
        }
        self.name_unless_empty(&mut path);
    }

    fn name_unless_empty(&mut self, path: &mut Parts) {
        if !path.is_empty() {
            self.name(&std::mem::take(path));
        }
    }

    fn define(&mut self, ident: &syn::Ident) {
        self.module().defines.insert(ident.to_string());
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        // Tests may look over walls.
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Macro(item) => item.ident.iter().for_each(|ident| self.define(ident)),
            syn::Item::Static(item) => self.define(&item.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::Type(item) => self.define(&item.ident),
            syn::Item::Union(item) => self.define(&item.ident),
            _ => {}
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            syn::visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_shared = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, &mut Vec::new(), is_shared);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Parts = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name(&parts);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_call: &'ast syn::Macro) {
        self.scan(macro_call.tokens.clone());
        syn::visit::visit_macro(self, macro_call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
        syn::visit::visit_attribute(self, attribute);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() {
            return;
        }
        let mut module_path = self.module().module_path.clone();
        module_path.push(item.ident.to_string());
        self.open.push(Module { module_path, ..Module::default() });
        syn::visit::visit_item_mod(self, item);
        self.done.extend(self.open.pop());
    }
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let source = "
        use crate::{event_log::{Position, read::Page}, postgres};
        use super::super::runtime::Module;
        use self::inner::Thing;
        fn f() -> wasmtime::Result<()> { crate::modules::load(); super::sibling(); }
        fn g() { tracing::info!(head = x.y, \"{}\", crate::config::LIMIT); }
        #[derive(thiserror::Error)] #[error(\"{}\", crate::http::words(a))] struct Error;
        #[cfg(test)] mod tests { use axum::Router; }
        #[cfg(test)] use tower::Service;
    ";
    let module_path = ["projector".to_owned(), "worker".to_owned()];
    let found = outside(source, &module_path);
    let expected = [
        "crate::config",
        "crate::event_log",
        "crate::http",
        "crate::modules",
        "crate::postgres",
        "crate::projector",
        "crate::runtime",
        "thiserror",
        "tracing",
        "wasmtime",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}
