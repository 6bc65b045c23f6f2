//! Checks that bytes are a component, and determines its world.

use std::collections::BTreeSet;

use wasmtime::{Engine, component::Component};

use crate::runtime::{
    sandbox::wasi,
    worlds::{entry::Entry, world::Signature},
};

/// The package of the contract.
const CONTRACT: &str = "gnomon:module";

/// Says why bytes are not a component, judging by their header; `None` if they have the header of a component.
pub(super) fn not_a_component(bytes: &[u8]) -> Option<String> {
    // https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md: magic, version, layer.
    match (bytes.get(..4), bytes.get(6..8)) {
        (Some(b"\0asm"), Some([1, 0])) => None,
        (Some(b"\0asm"), Some([0, 0])) => {
            Some("it is a core WebAssembly module, not a component; build it for the target wasm32-wasip2".to_owned())
        }
        _ if bytes.is_empty() => Some("it is empty".to_owned()),
        _ => {
            let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            Some(format!("it is not WebAssembly: it begins with {}, not with 00 61 73 6d", first.join(" ")))
        }
    }
}

/// Determines the world of a component by its exports, and checks its imports.
///
/// # Errors
/// A message for everything that is wrong.
pub(super) fn inspect<'w, M>(
    engine: &Engine,
    component: &Component,
    worlds: &'w [Entry<M>],
) -> Result<&'w Entry<M>, Vec<String>> {
    let component_type = component.component_type();
    let imports: Vec<&str> = component_type.imports(engine).map(|(name, _)| name).collect();
    let exports: Vec<&str> = component_type.exports(engine).map(|(name, _)| name).collect();
    check(&imports, &exports, worlds)
}

fn check<'w, M>(imports: &[&str], exports: &[&str], worlds: &'w [Entry<M>]) -> Result<&'w Entry<M>, Vec<String>> {
    check_versions(imports.iter().chain(exports), worlds)?;
    let mut reasons = Vec::new();
    for import in imports {
        if !wasi::ALLOWED.contains(&split(import).0) && !worlds.iter().any(|world| offers(world, import)) {
            reasons.push(format!(
                "it imports `{import}`, which modules may not import: a module has access to its events and its rows only"
            ));
        }
    }
    let exported = |world: &&Entry<M>| {
        let Signature { export, version, .. } = world.signature;
        exports.iter().any(|name| split(name) == (export, version))
    };
    let found: Vec<&Entry<M>> = worlds.iter().filter(exported).collect();
    match found.as_slice() {
        [world] => {
            let Signature { with_article, sees, .. } = world.signature;
            for import in imports.iter().filter(|import| !offers(world, import)) {
                if worlds.iter().any(|other| offers(other, import)) {
                    reasons.push(format!(
                        "it imports `{import}`, which {with_article} may not import: it has access to {sees} only"
                    ));
                }
            }
            if reasons.is_empty() {
                return Ok(world);
            }
        }
        [] => reasons.push(no_world(worlds)),
        several => reasons.push(format!(
            "it exports {}; a module can be only one of them",
            join(several, " and ", |world| world.with_article.to_owned())
        )),
    }
    Err(reasons)
}

/// Checks that the table has worlds for the versions of the contract in these names.
fn check_versions<'n, M>(names: impl Iterator<Item = &'n &'n str>, worlds: &[Entry<M>]) -> Result<(), Vec<String>> {
    let is_of_contract = |interface: &str| interface.split_once('/').is_some_and(|(package, _)| package == CONTRACT);
    let of_contract = worlds.iter().filter(|world| is_of_contract(world.signature.export));
    let supported: BTreeSet<Version<'_>> = of_contract.map(|world| Version::of(world.signature.version)).collect();
    let found = names.map(|name| split(name)).filter(|(interface, _)| is_of_contract(interface));
    let found: BTreeSet<Version<'_>> = found.map(|(_, version)| Version::of(version)).collect();
    let unsupported: BTreeSet<Version<'_>> = found.difference(&supported).copied().collect();
    let Some(newest) = supported.last().filter(|_| !unsupported.is_empty()) else { return Ok(()) };
    let list =
        |versions: &BTreeSet<Version<'_>>| versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let way_out = if unsupported.iter().any(|version| version > newest) {
        format!("run a newer gnomon, or build it with gnomon-sdk {newest}")
    } else {
        format!("update gnomon-sdk in its Cargo.toml to {newest} and build it again")
    };
    Err(vec![format!(
        "it is built for contract {}, but this host runs contract {}: {way_out}",
        list(&unsupported),
        list(&supported)
    )])
}

/// A version of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version<'v> {
    /// Major, minor and patch, as far as they are numbers.
    numbers: [Option<u64>; 3],
    text: &'v str,
}

impl<'v> Version<'v> {
    fn of(text: &'v str) -> Self {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        Self { numbers: [(); 3].map(|()| numbers.next().flatten()), text }
    }
}

/// `0.2` of 0.2.0: what stands in a `Cargo.toml`.
impl std::fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.text {
            "" => f.write_str("of no version"),
            text => f.write_str(text.strip_suffix(".0").unwrap_or(text)),
        }
    }
}

/// Whether modules of a world may import an interface of the contract.
fn offers<M>(world: &Entry<M>, import: &str) -> bool {
    let (interface, version) = split(import);
    world.imports.contains(&interface) && version == world.signature.version
}

/// The message for a component that belongs to no world.
fn no_world<M>(worlds: &[Entry<M>]) -> String {
    let all: Vec<&Entry<M>> = worlds.iter().collect();
    format!(
        "it exports neither {}, so it is neither {}; call {} in its crate",
        join(&all, " nor ", |world| format!("`{}@{}`", world.export, world.version)),
        join(&all, " nor ", |world| world.with_article.to_owned()),
        join(&all, " or ", |world| world.exported_by.to_owned())
    )
}

fn join<M>(worlds: &[&Entry<M>], separator: &str, word: impl Fn(&Signature) -> String) -> String {
    worlds.iter().map(|world| word(&world.signature)).collect::<Vec<_>>().join(separator)
}

/// An interface's name and its version.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::worlds;

    /// The world of a component with these imports and exports.
    fn world(imports: &[&str], exports: &[&str]) -> Result<&'static str, Vec<String>> {
        let table = worlds::table(&Engine::default()).unwrap();
        check(imports, exports, &table).map(|world| world.signature.with_article)
    }

    #[test]
    fn a_module_of_this_contract_is_accepted() {
        let interfaces = ["read-model", "tables", "types"].map(|name| format!("gnomon:module/{name}@0.2.0"));
        let mut imports: Vec<&str> = interfaces.iter().map(String::as_str).collect();
        imports.push("wasi:cli/stderr@0.2.4");
        assert_eq!(world(&imports, &["gnomon:module/projection-guest@0.2.0"]), Ok("a projection"));
        assert_eq!(world(&imports, &["gnomon:module/reactor-guest@0.2.0"]), Ok("a reactor"));
        let imports = ["gnomon:module/cursor@0.2.0", "wasi:cli/stderr@0.2.4"];
        assert_eq!(world(&imports, &["gnomon:module/upcaster-guest@0.2.0"]), Ok("an upcaster"));
    }

    #[test]
    fn a_module_belongs_to_one_world() {
        let exports = ["gnomon:module/upcaster-guest@0.2.0", "gnomon:module/projection-guest@0.2.0"];
        let reasons = world(&["gnomon:module/read-model@0.2.0"], &exports).unwrap_err();
        assert_eq!(reasons, ["it exports a projection and an upcaster; a module can be only one of them"]);
    }

    #[test]
    fn another_contract_is_refused_with_a_message() {
        let refused = |version: &str| {
            let [log, guest] =
                ["log", "projection-guest"].map(|interface| format!("gnomon:module/{interface}@{version}"));
            world(&[&log], &[&guest]).unwrap_err()
        };
        let update = "but this host runs contract 0.2: update gnomon-sdk in its Cargo.toml to 0.2 and build it again";
        assert_eq!(refused("0.1.0"), [format!("it is built for contract 0.1, {update}")]);
        assert_eq!(refused("0.1.7"), [format!("it is built for contract 0.1.7, {update}")]);
        let newer = "but this host runs contract 0.2: run a newer gnomon, or build it with gnomon-sdk 0.2";
        assert_eq!(refused("0.10.0"), [format!("it is built for contract 0.10, {newer}")]);
        assert_eq!(refused("0.2.1"), [format!("it is built for contract 0.2.1, {newer}")]);
        assert_eq!(
            world(&["gnomon:module/log@0.1.0"], &["gnomon:module/projection-guest@0.2.0"]).unwrap_err(),
            [format!("it is built for contract 0.1, {update}")]
        );
        assert_eq!(
            world(&[], &["gnomon:module/projection-guest"]).unwrap_err(),
            [format!("it is built for contract of no version, {update}")]
        );
    }

    #[test]
    fn each_forbidden_import_is_named() {
        let imports = ["wasi:sockets/tcp@0.2.4", "acme:secret/door", "gnomon:module/secrets@0.2.0"];
        let reasons = world(&imports, &["gnomon:module/projection-guest@0.2.0"]).unwrap_err();
        let message = |import| {
            format!(
                "it imports `{import}`, which modules may not import: a module has access to its events and its rows only"
            )
        };
        assert_eq!(reasons, imports.map(message));
    }

    #[test]
    fn an_upcaster_has_no_rows() {
        let reasons = world(&["gnomon:module/read-model@0.2.0"], &["gnomon:module/upcaster-guest@0.2.0"]).unwrap_err();
        assert_eq!(
            reasons,
            [
                "it imports `gnomon:module/read-model@0.2.0`, which an upcaster may not import: it has access to its events only"
            ]
        );
    }

    #[test]
    fn bytes_that_are_not_a_component_are_described() {
        assert_eq!(not_a_component(b"\0asm\x0d\0\x01\0"), None);
        assert!(not_a_component(b"\0asm\x01\0\0\0").unwrap().contains("core WebAssembly module"));
        assert_eq!(
            not_a_component(b"<htm").unwrap(),
            "it is not WebAssembly: it begins with 3c 68 74 6d, not with 00 61 73 6d"
        );
        assert_eq!(not_a_component(b"").unwrap(), "it is empty");
        let reasons = world(&[], &[]).unwrap_err();
        assert_eq!(
            reasons,
            ["it exports neither `gnomon:module/projection-guest@0.2.0` nor `gnomon:module/upcaster-guest@0.2.0` nor \
                 `gnomon:module/reactor-guest@0.2.0`, so it is neither a projection nor an upcaster nor a reactor; call \
                 gnomon_sdk::export! or gnomon_sdk::export_upcaster! or gnomon_sdk::export_reactor! in its crate"]
        );
    }
}
