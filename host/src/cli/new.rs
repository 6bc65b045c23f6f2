//! `gnomon new`

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;

use super::output::{data, say};
use crate::read_model::Identifier;

/// Make a crate for a new projection or upcaster, with a small example and its tests.
#[derive(Args, Debug)]
pub(super) struct New {
    /// The name of the crate and of its folder; the module has the same name, with `_` for each `-`
    name: String,

    /// Make an upcaster, which rewrites events of older schema versions, and not a projection
    #[arg(long)]
    upcaster: bool,

    /// The folder of gnomon-sdk [default: the folder in the sources from which this program was built]
    #[arg(long, env = "GNOMON_SDK", value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

/// What a new crate is made of. In the files, the names of the template and `/path/to/guest-sdk` stand for the names of the crate and of its
/// module, and for the SDK's path.
#[derive(Clone, Copy, Debug)]
struct Template {
    /// The kind of the module.
    kind: &'static str,
    /// The name of the crate in the files, which has a `-`.
    name: &'static str,
    /// The paths of the files and their texts.
    files: &'static [(&'static str, &'static str)],
}

const PROJECTION: Template = Template {
    kind: "projection",
    name: "my-projection",
    files: &[
        ("Cargo.toml", include_str!("../../templates/projection/Cargo.toml.txt")),
        (".gitignore", include_str!("../../templates/projection/gitignore.txt")),
        ("rust-toolchain.toml", include_str!("../../templates/projection/rust-toolchain.toml")),
        ("src/lib.rs", include_str!("../../templates/projection/src/lib.rs")),
        ("tests/customers.rs", include_str!("../../templates/projection/tests/customers.rs")),
    ],
};

const UPCASTER: Template = Template {
    kind: "upcaster",
    name: "my-upcaster",
    files: &[
        ("Cargo.toml", include_str!("../../templates/upcaster/Cargo.toml.txt")),
        (".gitignore", include_str!("../../templates/projection/gitignore.txt")),
        ("rust-toolchain.toml", include_str!("../../templates/projection/rust-toolchain.toml")),
        ("src/lib.rs", include_str!("../../templates/upcaster/src/lib.rs")),
        ("tests/steps.rs", include_str!("../../templates/upcaster/tests/steps.rs")),
    ],
};

/// Names that are keywords of Rust, or crates that the new crate depends on.
const RESERVED: &[&str] = &[
    "_",
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "gnomon_sdk",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

impl New {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let module = module_name(&self.name)?;
        let sdk = find_sdk(self.sdk)?;
        let folder = Path::new(&self.name);
        let template = if self.upcaster { UPCASTER } else { PROJECTION };
        write(template, folder, &self.name, &module, &sdk)?;
        data(folder.display())?;
        say(format_args!(
            "made the {kind} `{module}`; next:\n  cd {name}\n  cargo test\n  gnomon deploy .",
            kind = template.kind,
            name = self.name
        ));
        Ok(())
    }
}

/// The name of the module in a crate of this name.
fn module_name(name: &str) -> anyhow::Result<String> {
    let Ok(module) = Identifier::new(name.replace('-', "_")) else {
        bail!(
            "`{name}` is not allowed as the name of a module; a name has a to z, 0 to 9, - and _, does not begin with a digit, and has at \
             most {} bytes, such as order-totals",
            Identifier::MAX_BYTES
        );
    };
    if RESERVED.contains(&module.as_str()) {
        bail!(
            "`{name}` is not allowed as the name of a crate, since it is a word of Rust, or a crate that modules use; {name}-rows is"
        );
    }
    Ok(module.as_str().to_owned())
}

/// The folder of the SDK: the given one, or that of the sources of this program.
fn find_sdk(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let sdk = match given {
        Some(given) if is_sdk(&given) => given,
        Some(given) => bail!("{} is not the folder of gnomon-sdk", given.display()),
        None => {
            let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk");
            if !is_sdk(&sources) {
                bail!(
                    "cannot find gnomon-sdk: it is not published yet, and the sources of this program are not on this machine; give \
                     the folder guest-sdk of Gnomon's repository with --sdk or GNOMON_SDK"
                );
            }
            sources
        }
    };
    sdk.canonicalize().with_context(|| format!("cannot read {}", sdk.display()))
}

fn is_sdk(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "name = \"gnomon-sdk\""))
}

/// Makes the folder and writes the files.
fn write(template: Template, folder: &Path, name: &str, module: &str, sdk: &Path) -> anyhow::Result<()> {
    // A string of JSON is also one of TOML.
    let sdk = serde_json::to_string(sdk.to_str().context("the path of gnomon-sdk is not UTF-8")?)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} exists already; choose another name or remove it", folder.display());
        }
        other => other.with_context(|| format!("cannot make the folder {}", folder.display()))?,
    }
    for (path, text) in template.files {
        let path = folder.join(path);
        let text = text
            .replace("\"/path/to/guest-sdk\"", &sdk)
            .replace(template.name, name)
            .replace(&template.name.replace('-', "_"), module);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, text)
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_modules() {
        assert_eq!(module_name("order-totals").unwrap(), "order_totals");
        let error = |name| format!("{:#}", module_name(name).unwrap_err());
        assert!(
            error("Orders")
                .starts_with("`Orders` is not allowed as the name of a module; a name has a to z, 0 to 9, - and _")
        );
        for name in ["", "1st", "a/b", "../x", "a b", "é"] {
            assert!(module_name(name).is_err(), "{name}");
        }
        assert!(error("type").contains("a word of Rust"), "{}", error("type"));
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn the_files_are_written_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let crate_folder = folder.path().join("order-totals");
        let sdk = find_sdk(None).unwrap();
        write(PROJECTION, &crate_folder, "order-totals", "order_totals", &sdk).unwrap();
        let upcaster = folder.path().join("order-cents");
        write(UPCASTER, &upcaster, "order-cents", "order_cents", &sdk).unwrap();

        for (folder, template) in [(&crate_folder, PROJECTION), (&upcaster, UPCASTER)] {
            for (path, _) in template.files {
                let text = fs::read_to_string(folder.join(path)).unwrap();
                assert!(!text.contains("my-") && !text.contains("my_"), "{path}:\n{text}");
                assert!(!text.contains("/path/to/"), "{path}:\n{text}");
                if path.ends_with(".rs") {
                    syn::parse_file(&text).unwrap();
                }
            }
        }
        let manifest = fs::read_to_string(crate_folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"order-totals\""), "{manifest}");
        assert!(manifest.contains(&format!("gnomon-sdk = {{ path = {:?} }}", sdk.to_str().unwrap())), "{manifest}");
        let test = fs::read_to_string(crate_folder.join("tests/customers.rs")).unwrap();
        assert!(test.contains("use order_totals::{Customer, Customers};"), "{test}");
    }

    #[test]
    fn a_folder_that_exists_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(PROJECTION, folder.path(), "a", "a", Path::new("/sdk")).unwrap_err().to_string();
        assert!(error.ends_with("exists already; choose another name or remove it"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn another_folder_is_not_the_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let error = find_sdk(Some(folder.path().to_owned())).unwrap_err().to_string();
        assert!(error.ends_with("is not the folder of gnomon-sdk"), "{error}");
    }
}
