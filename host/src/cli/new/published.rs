//! Whether gnomon-sdk is on crates.io.

use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::cli::guest_crate::{cannot_run, cargo};

/// Asks cargo, which knows how this machine reaches the registry.
///
/// # Errors
/// The registry does not have this version, or cannot be asked.
pub(super) async fn check(version: &str) -> anyhow::Result<()> {
    // Not in a folder of somebody: within a workspace, cargo would answer with a crate of that.
    let folder = tempfile::tempdir().context("cannot make a folder for cargo to run in")?;
    let wanted = format!("gnomon-sdk@{version}");
    let mut command = Command::new(cargo());
    command.args(["info", "--quiet", "--registry", "crates-io", &wanted]).current_dir(folder.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| cannot_run("cargo", &error))?;
    if !output.status.success() {
        bail!(
            "cargo does not get gnomon-sdk {version} from crates.io; without --published, the new crate brings its sources along. cargo \
             says:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
