//! `gnomon build`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{
    figures,
    guest_crate::{CargoOutput, Component, GuestCrate},
    output,
};

/// Build a module's crate to a component, and print its path.
///
/// This runs `cargo build --release --target wasm32-wasip2`; if that target is missing, it is added with rustup. Backtraces of the
/// component name files and lines of the crate if its release profile has `debug = "line-tables-only"`. All other debug information is
/// left out, which makes the component a quarter of what cargo has built.
#[derive(Args, Debug)]
pub(super) struct Build {
    /// The crate's folder
    #[arg(default_value = ".")]
    folder: PathBuf,

    /// Print name, path and size as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Built {
    name: String,
    path: PathBuf,
    bytes: u64,
}

impl Build {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let guest = GuestCrate::find(&self.folder).await?;
        let Component { path, bytes } = guest.build(CargoOutput::Inherited).await?;
        if self.json {
            output::json(&Built { name: guest.module_name(), path, bytes })?;
            return Ok(());
        }
        output::data(path.display())?;
        output::say(format_args!("module `{}`, {}", guest.module_name(), figures::bytes(bytes)));
        Ok(())
    }
}
