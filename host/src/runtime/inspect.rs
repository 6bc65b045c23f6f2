//! Is it a module at all, and of which kind?

use wasmtime::{Engine, component::Component};

use super::{descriptor::ModuleKind, wasi};

/// The versions of the contract that this host speaks.
const CONTRACT: &str = "gnomon:module";
const VERSION: &str = "0.1.0";
const PROJECTION: &str = "gnomon:module/projection-guest";
const UPCASTER: &str = "gnomon:module/upcaster-guest";
/// The rows of a projection.
const ROWS: &str = "gnomon:module/read-model";
/// Interfaces of the contract that a module may import.
const HOST_INTERFACES: [&str; 4] = ["gnomon:module/cursor", "gnomon:module/log", ROWS, "gnomon:module/types"];

/// Says what bytes are that are no component; none if they are one, as far as the first of them tell.
pub(super) fn no_component(bytes: &[u8]) -> Option<String> {
    // https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md: magic, version, layer.
    match (bytes.get(..4), bytes.get(6..8)) {
        (Some(b"\0asm"), Some([1, 0])) => None,
        (Some(b"\0asm"), Some([0, 0])) => {
            Some("this is a core WebAssembly module, not a component; build it for the target wasm32-wasip2".to_owned())
        }
        _ if bytes.is_empty() => Some("it is empty".to_owned()),
        _ => {
            let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            Some(format!("this is not WebAssembly: it begins with {}, not with 00 61 73 6d", first.join(" ")))
        }
    }
}

/// Checks what a component imports and exports.
///
/// # Errors
/// Everything that is wrong, in words.
pub(super) fn inspect(engine: &Engine, component: &Component) -> Result<ModuleKind, Vec<String>> {
    let component_type = component.component_type();
    let imports = component_type.imports(engine).map(|(name, _)| name.to_owned());
    let exports = component_type.exports(engine).map(|(name, _)| name.to_owned());
    check(imports.collect(), exports.collect())
}

fn check(imports: Vec<String>, exports: Vec<String>) -> Result<ModuleKind, Vec<String>> {
    let mut reasons = Vec::new();
    let mut foreign_versions: Vec<&str> = imports
        .iter()
        .chain(&exports)
        .map(|name| split(name))
        .filter(|(interface, version)| interface.starts_with(CONTRACT) && *version != VERSION)
        .map(|(_, version)| version)
        .collect();
    foreign_versions.sort_unstable();
    foreign_versions.dedup();
    if !foreign_versions.is_empty() {
        reasons.push(format!(
            "it is built for contract {CONTRACT}@{}; this host speaks {CONTRACT}@{VERSION}: build it with the gnomon-sdk of \
             that version",
            foreign_versions.join(" and ")
        ));
        return Err(reasons);
    }
    for import in &imports {
        let (interface, _) = split(import);
        if !HOST_INTERFACES.contains(&interface) && !wasi::ALLOWED.contains(&interface) {
            reasons.push(format!(
                "it imports `{import}`, which no module may: a module sees its events and its rows and nothing else"
            ));
        }
    }
    let has = |wanted| exports.iter().any(|export| split(export).0 == wanted);
    let kind = match (has(PROJECTION), has(UPCASTER)) {
        (true, false) => Some(ModuleKind::Projection),
        (false, true) => Some(ModuleKind::Upcaster),
        (true, true) => {
            reasons.push("it exports a projection and an upcaster; a module is one of them".to_owned());
            None
        }
        (false, false) => {
            reasons.push(format!(
                "it exports neither `{PROJECTION}@{VERSION}` nor `{UPCASTER}@{VERSION}`, so it is no projection and no \
                 upcaster (does it call gnomon_sdk::export! or \
                 gnomon_sdk::export_upcaster!?)"
            ));
            None
        }
    };
    let reads_rows = imports.iter().find(|import| split(import).0 == ROWS);
    if let (Some(ModuleKind::Upcaster), Some(import)) = (kind, reads_rows) {
        reasons.push(format!("it imports `{import}`, which an upcaster may not: it sees its events and nothing else"));
    }
    match kind {
        Some(kind) if reasons.is_empty() => Ok(kind),
        _ => Err(reasons),
    }
}

/// An interface's name and its version.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_module_of_this_contract_is_taken() {
        let imports = names(&["gnomon:module/read-model@0.1.0", "wasi:cli/stderr@0.2.4"]);
        assert_eq!(
            check(imports.clone(), names(&["gnomon:module/projection-guest@0.1.0"])),
            Ok(ModuleKind::Projection)
        );
        let imports = names(&["gnomon:module/cursor@0.1.0", "wasi:cli/stderr@0.2.4"]);
        assert_eq!(check(imports, names(&["gnomon:module/upcaster-guest@0.1.0"])), Ok(ModuleKind::Upcaster));
    }

    #[test]
    fn another_contract_is_refused_in_words() {
        let reasons =
            check(names(&["gnomon:module/log@0.2.0"]), names(&["gnomon:module/projection-guest@0.2.0"])).unwrap_err();
        assert_eq!(
            reasons,
            ["it is built for contract gnomon:module@0.2.0; this host speaks gnomon:module@0.1.0: build it with the \
              gnomon-sdk of that version"]
        );
    }

    #[test]
    fn each_forbidden_import_is_named() {
        let imports = names(&["wasi:sockets/tcp@0.2.4", "acme:secret/door"]);
        let reasons = check(imports, names(&["gnomon:module/projection-guest@0.1.0"])).unwrap_err();
        assert_eq!(reasons.len(), 2);
        assert!(reasons[0].contains("`wasi:sockets/tcp@0.2.4`"), "{reasons:?}");
        assert!(reasons[1].contains("`acme:secret/door`"), "{reasons:?}");
    }

    #[test]
    fn an_upcaster_has_no_rows() {
        let imports = names(&["gnomon:module/read-model@0.1.0"]);
        let reasons = check(imports, names(&["gnomon:module/upcaster-guest@0.1.0"])).unwrap_err();
        assert_eq!(
            reasons,
            [
                "it imports `gnomon:module/read-model@0.1.0`, which an upcaster may not: it sees its events and nothing else"
            ]
        );
    }

    #[test]
    fn what_is_no_component_is_told_what_it_is() {
        assert_eq!(no_component(b"\0asm\x0d\0\x01\0"), None);
        assert!(no_component(b"\0asm\x01\0\0\0").unwrap().contains("core WebAssembly module"));
        assert_eq!(
            no_component(b"<htm").unwrap(),
            "this is not WebAssembly: it begins with 3c 68 74 6d, not with 00 61 73 6d"
        );
        assert_eq!(no_component(b"").unwrap(), "it is empty");
        let reasons = check(vec![], vec![]).unwrap_err();
        assert!(reasons[0].contains("exports neither"), "{reasons:?}");
    }
}
