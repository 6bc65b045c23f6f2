//! `gnomon new`

mod published;
mod sources;
mod steps;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::output::{data, say};
use crate::read_model::Identifier;

/// Make a crate for a new projection, upcaster or reactor, with a small example and its tests.
///
/// The crate brings the sources of gnomon-sdk along, in its folder vendor, so that it builds wherever it is checked out. Its Cargo.toml has
/// the line for the gnomon-sdk of crates.io in a comment.
#[derive(Args, Debug)]
pub(super) struct New {
    /// The name of the crate and of its folder; the module has the same name, with `_` for each `-`
    name: String,

    /// What to make
    #[arg(long, value_enum, default_value_t = Kind::Projection)]
    kind: Kind,

    /// Use the gnomon-sdk in this folder, such as another module's vendor/gnomon-sdk, and bring no sources along; Cargo.toml names a
    /// relative path as seen from the new crate
    #[arg(long, env = "GNOMON_SDK", value_name = "FOLDER")]
    sdk: Option<PathBuf>,

    /// Use the gnomon-sdk of crates.io, if it is there in the version of this program, and bring no sources along
    #[arg(long, conflicts_with = "sdk")]
    published: bool,
}

/// The kinds of modules that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A projection, which folds events into read models
    Projection,
    /// An upcaster, which rewrites events of older schema versions
    Upcaster,
    /// A reactor, which answers events with effects
    Reactor,
}

impl Kind {
    fn template(self) -> Template {
        match self {
            Self::Projection => PROJECTION,
            Self::Upcaster => UPCASTER,
            Self::Reactor => REACTOR,
        }
    }
}

/// The version of this program and of its SDK.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The sources that a new crate brings along, from its folder.
const VENDORED: &str = "vendor/gnomon-sdk";

/// Where a new crate has gnomon-sdk from.
#[derive(Debug)]
enum Sdk {
    /// It brings the sources along.
    Vendored,
    /// A folder, by its path from the new crate.
    Folder(String),
    /// A registry.
    Published,
}

/// What a new crate is made of. In the files, the names of the template stand for those of the crate and of its module, and [`DEPENDENCY`]
/// for the line that says where it has the SDK from.
#[derive(Clone, Copy, Debug)]
struct Template {
    /// The kind of the module.
    kind: &'static str,
    /// The name of the crate in the files, which has a `-`.
    name: &'static str,
    /// The paths of the files and their texts.
    files: &'static [(&'static str, &'static str)],
}

const DEPENDENCY: &str = "gnomon-sdk = { path = \"/path/to/guest-sdk\" }\n";

const PROJECTION: Template = Template {
    kind: "projection",
    name: "my-projection",
    files: &[
        ("Cargo.toml", include_str!("../../../templates/projection/Cargo.toml.txt")),
        (".gitignore", include_str!("../../../templates/projection/gitignore.txt")),
        ("rust-toolchain.toml", include_str!("../../../templates/projection/rust-toolchain.toml")),
        ("src/lib.rs", include_str!("../../../templates/projection/src/lib.rs")),
        ("tests/customers.rs", include_str!("../../../templates/projection/tests/customers.rs")),
    ],
};

const UPCASTER: Template = Template {
    kind: "upcaster",
    name: "my-upcaster",
    files: &[
        ("Cargo.toml", include_str!("../../../templates/upcaster/Cargo.toml.txt")),
        (".gitignore", include_str!("../../../templates/projection/gitignore.txt")),
        ("rust-toolchain.toml", include_str!("../../../templates/projection/rust-toolchain.toml")),
        ("src/lib.rs", include_str!("../../../templates/upcaster/src/lib.rs")),
        ("tests/steps.rs", include_str!("../../../templates/upcaster/tests/steps.rs")),
    ],
};

const REACTOR: Template = Template {
    kind: "reactor",
    name: "my-reactor",
    files: &[
        ("Cargo.toml", include_str!("../../../templates/reactor/Cargo.toml.txt")),
        (".gitignore", include_str!("../../../templates/projection/gitignore.txt")),
        ("rust-toolchain.toml", include_str!("../../../templates/projection/rust-toolchain.toml")),
        ("src/lib.rs", include_str!("../../../templates/reactor/src/lib.rs")),
        ("tests/reminders.rs", include_str!("../../../templates/reactor/tests/reminders.rs")),
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
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let module = module_name(&self.name)?;
        let sdk = match self.sdk {
            Some(folder) => Sdk::Folder(path_from_crate(&folder)?),
            None if self.published => {
                published::check(VERSION).await?;
                Sdk::Published
            }
            None => Sdk::Vendored,
        };
        let folder = Path::new(&self.name);
        let template = self.kind.template();
        write(template, folder, &self.name, &module, &sdk)?;
        data(folder.display())?;
        say(format_args!("made the {} `{module}`", template.kind));
        if matches!(sdk, Sdk::Vendored) {
            say(format_args!(
                "it brings the sources of gnomon-sdk {VERSION} along, in {VENDORED}; Cargo.toml says how to use crates.io instead"
            ));
        }
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        say(format_args!("next:\n{}", steps::next(&folder)));
        Ok(())
    }
}

/// The name of the module in a crate of this name.
fn module_name(name: &str) -> anyhow::Result<String> {
    // Cargo refuses a package whose name begins with `-`.
    let module = Identifier::new(name.replace('-', "_")).ok().filter(|_| !name.starts_with('-'));
    let Some(module) = module else {
        bail!(
            "`{name}` is not allowed as the name of a module; a name has a to z, 0 to 9, - and _, begins with a letter or _, and has at \
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

/// The path of the SDK's folder from the new crate, which is made in the folder where the program runs.
fn path_from_crate(sdk: &Path) -> anyhow::Result<String> {
    if !is_sdk(sdk) {
        bail!(
            "{} is not the folder of gnomon-sdk; without --sdk (GNOMON_SDK), the new crate brings its sources along",
            sdk.display()
        );
    }
    // An absolute path stays as it is.
    let path = Path::new("..").join(sdk);
    Ok(path.to_str().context("the path of gnomon-sdk is not UTF-8")?.to_owned())
}

fn is_sdk(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "name = \"gnomon-sdk\""))
}

/// What stands in the manifest for [`DEPENDENCY`].
fn dependency(sdk: &Sdk) -> anyhow::Result<String> {
    let published = format!("gnomon-sdk = \"{VERSION}\"\n");
    // A string of JSON is also one of TOML.
    let by_path = |path: &str| serde_json::to_string(path).map(|path| format!("gnomon-sdk = {{ path = {path} }}\n"));
    Ok(match sdk {
        Sdk::Vendored => format!(
            "# The sources that this crate brings along. Once gnomon-sdk is on crates.io, the first of these two lines can take the place\n\
             # of the second; then the folder vendor is not needed any more.\n\
             # {published}{}",
            by_path(VENDORED)?
        ),
        Sdk::Folder(path) => by_path(path)?,
        Sdk::Published => published,
    })
}

/// Makes the folder and writes the files.
fn write(template: Template, folder: &Path, name: &str, module: &str, sdk: &Sdk) -> anyhow::Result<()> {
    let dependency = dependency(sdk)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} exists already; choose another name or remove it", folder.display());
        }
        other => other.with_context(|| format!("cannot make the folder {}", folder.display()))?,
    }
    for (path, text) in template.files {
        let path = folder.join(path);
        let text = text
            .replace(DEPENDENCY, &dependency)
            .replace(template.name, name)
            .replace(&template.name.replace('-', "_"), module);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, text)
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    if matches!(sdk, Sdk::Vendored) {
        let folder = folder.join(VENDORED);
        sources::write(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
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
        for name in ["", "1st", "a/b", "../x", "a b", "é", "-x"] {
            assert!(module_name(name).is_err(), "{name}");
        }
        assert!(error("type").contains("a word of Rust"), "{}", error("type"));
        assert!(RESERVED.is_sorted());
    }

    /// The manifest of a new projection.
    fn manifest(sdk: &Sdk) -> String {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("order-totals");
        write(PROJECTION, &folder, "order-totals", "order_totals", sdk).unwrap();
        assert_eq!(folder.join("vendor").exists(), matches!(sdk, Sdk::Vendored));
        fs::read_to_string(folder.join("Cargo.toml")).unwrap()
    }

    #[test]
    fn the_files_are_written_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let crate_folder = folder.path().join("order-totals");
        write(PROJECTION, &crate_folder, "order-totals", "order_totals", &Sdk::Vendored).unwrap();
        let upcaster = folder.path().join("order-cents");
        write(UPCASTER, &upcaster, "order-cents", "order_cents", &Sdk::Vendored).unwrap();
        let reactor = folder.path().join("order-reminders");
        write(REACTOR, &reactor, "order-reminders", "order_reminders", &Sdk::Vendored).unwrap();

        for (folder, template) in [(&crate_folder, PROJECTION), (&upcaster, UPCASTER), (&reactor, REACTOR)] {
            for (path, _) in template.files {
                let text = fs::read_to_string(folder.join(path)).unwrap();
                assert!(!text.contains("my-") && !text.contains("my_"), "{path}:\n{text}");
                assert!(!text.contains("/path/to/"), "{path}:\n{text}");
                if path.ends_with(".rs") {
                    syn::parse_file(&text).unwrap();
                }
            }
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            assert!(
                manifest.contains(concat!("\nrust-version = \"", env!("CARGO_PKG_RUST_VERSION"), "\"\n")),
                "{manifest}"
            );
            assert!(is_sdk(&folder.join(VENDORED)));
        }
        let test = fs::read_to_string(crate_folder.join("tests/customers.rs")).unwrap();
        assert!(test.contains("use order_totals::{Customer, Customers};"), "{test}");
    }

    #[test]
    fn another_line_of_the_manifest_names_the_published_sdk() {
        let vendored = manifest(&Sdk::Vendored);
        assert!(vendored.contains("name = \"order-totals\""), "{vendored}");
        let published = format!("gnomon-sdk = \"{VERSION}\"\n");
        let lines = format!("# {published}gnomon-sdk = {{ path = \"vendor/gnomon-sdk\" }}\n");
        assert!(vendored.contains(&lines), "{vendored}");
        let manifest = manifest(&Sdk::Published);
        assert!(manifest.contains(&format!("\n{published}")) && !manifest.contains("vendor"), "{manifest}");
    }

    #[test]
    fn a_folder_of_the_sdk_is_named_from_the_new_crate() {
        // Tests run in the folder of the package.
        assert_eq!(path_from_crate(Path::new("../guest-sdk")).unwrap(), "../../guest-sdk");
        let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk");
        assert_eq!(path_from_crate(&absolute).unwrap(), absolute.to_str().unwrap());
        let manifest = manifest(&Sdk::Folder("/my \"sdk\"".into()));
        assert!(manifest.contains("\ngnomon-sdk = { path = \"/my \\\"sdk\\\"\" }\n"), "{manifest}");
        assert!(!manifest.contains("vendor"), "{manifest}");
    }

    #[test]
    fn a_folder_that_exists_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(PROJECTION, folder.path(), "a", "a", &Sdk::Vendored).unwrap_err().to_string();
        assert!(error.ends_with("exists already; choose another name or remove it"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn another_folder_is_not_the_sdk() {
        let folder = tempfile::tempdir().unwrap();
        let error = path_from_crate(folder.path()).unwrap_err().to_string();
        assert!(error.contains(" is not the folder of gnomon-sdk; without --sdk"), "{error}");
    }
}
