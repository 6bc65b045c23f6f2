//! The sources of gnomon-sdk, which this program has within itself: who has nothing but the program can write modules.

use std::{fs, io, path::Path};

use include_dir::{Dir, include_dir};

/// The folders of the SDK's three crates, by their paths in the folder that is written. What they depend upon each other by is the same
/// as in Gnomon's repository. Their tests stay there.
const FOLDERS: [(&str, Dir<'_>); 4] = [
    ("src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/src")),
    ("wit", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/wit")),
    ("derive/src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/derive/src")),
    ("values/src", include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/values/src")),
];

/// The files beside the folders. The manifests are made of those that cargo would publish: they inherit nothing from a workspace.
const FILES: [(&str, &str); 10] = [
    ("Cargo.toml", include_str!("../../../templates/sdk/Cargo.toml.txt")),
    ("LICENSE", LICENSE),
    ("README.md", include_str!("../../../../guest-sdk/README.md")),
    ("derive/Cargo.toml", include_str!("../../../templates/sdk/derive/Cargo.toml.txt")),
    ("derive/LICENSE", LICENSE),
    ("derive/README.md", include_str!("../../../../guest-sdk/derive/README.md")),
    ("values/Cargo.toml", include_str!("../../../templates/sdk/values/Cargo.toml.txt")),
    ("values/LICENSE", LICENSE),
    ("values/README.md", include_str!("../../../../guest-sdk/values/README.md")),
    // So that `cargo fmt --all`, which formats path dependencies as well, finds nothing to change.
    (RUSTFMT, include_str!("../../../../rustfmt.toml")),
];

const LICENSE: &str = include_str!("../../../../LICENSE");
const RUSTFMT: &str = "rustfmt.toml";

/// Writes the sources into a folder that does not exist yet.
///
/// # Errors
/// The folder or a file cannot be made.
pub(super) fn write(folder: &Path) -> io::Result<()> {
    for (path, sources) in &FOLDERS {
        let path = folder.join(path);
        fs::create_dir_all(&path)?;
        sources.extract(path)?;
    }
    for (path, text) in FILES {
        fs::write(folder.join(path), text)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
