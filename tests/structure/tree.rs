//! The modules of a crate, and which file a name comes from.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::paths::{self, Module, Parts};

/// How many re-exports a name may go through; more are an import of itself.
const DEPTH: usize = 16;

pub(crate) struct Tree {
    /// Each with its file.
    modules: BTreeMap<Parts, (String, Module)>,
}

impl Tree {
    /// Reads the crate of a folder `src`; files are named from there.
    pub(crate) fn read(source: &Path) -> Self {
        let mut files = Vec::new();
        crate::files(source, &mut files);
        Self::of(files.into_iter().map(|path: PathBuf| {
            let name = path.strip_prefix(source).unwrap().display().to_string();
            (name, fs::read_to_string(&path).unwrap())
        }))
    }

    pub(crate) fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut modules = BTreeMap::new();
        for (file, source) in files.into_iter().filter(|(file, _)| file != "main.rs") {
            for module in paths::read(&source, &module_path(Path::new(&file))) {
                modules.insert(module.module_path.clone(), (file.clone(), module));
            }
        }
        Self { modules }
    }

    /// Which file uses which other, and a name that it uses from there. To declare a module or to pass a name on is not to use
    /// it.
    pub(crate) fn arrows(&self) -> BTreeMap<(&str, &str), String> {
        let mut arrows = BTreeMap::new();
        for (file, module) in self.modules.values() {
            let imports = module.imports.iter().filter(|import| !import.is_shared).map(|import| &import.path);
            for path in imports.chain(&module.names) {
                if let Some(other) = self.file_of(&module.module_path, path, DEPTH)
                    && other != file
                {
                    arrows.entry((file.as_str(), other)).or_insert_with(|| path.join("::"));
                }
            }
        }
        arrows
    }

    /// The file that defines what a path in a module means; none if that is a module, or comes from elsewhere.
    fn file_of(&self, module_path: &[String], path: &[String], depth: usize) -> Option<&str> {
        let depth = depth.checked_sub(1)?;
        match path.split_first()? {
            (first, rest) if first == "crate" => self.file_of(&[], rest, depth),
            (first, rest) => {
                let (file, module) = self.modules.get(module_path)?;
                let child = [module_path, std::slice::from_ref(first)].concat();
                if !rest.is_empty() && self.modules.contains_key(&child) {
                    return self.file_of(&child, rest, depth);
                }
                if module.defines.contains(first) {
                    return Some(file);
                }
                let named = module.imports.iter().filter(|import| import.name.as_ref() == Some(first));
                let named = named.map(|import| [&import.path, rest].concat());
                let globs = module.imports.iter().filter(|import| import.name.is_none());
                let globs = globs.map(|import| [&import.path, path].concat());
                named.chain(globs).find_map(|path| self.file_of(module_path, &path, depth))
            }
        }
    }
}

/// The module that a file is, by the names that lead to it from `crate`.
pub(crate) fn module_path(file: &Path) -> Parts {
    let mut module_path: Parts = file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module_path.last().is_some_and(|last| last == "mod" || last == "lib") {
        module_path.pop();
    }
    module_path
}
