//! A module's crate: finding it, and making a component of it.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// What components are compiled for.
const TARGET: &str = "wasm32-wasip2";

/// A crate that a module is made of.
#[derive(Debug)]
pub(super) struct GuestCrate {
    folder: PathBuf,
    package: String,
    id: String,
}

/// A component on disk.
#[derive(Debug)]
pub(super) struct Component {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
}

/// What becomes of cargo's words.
pub(super) enum CargoOutput<'h> {
    /// They go to stderr.
    Inherited,
    /// Each line is heard; they are shown if the build fails.
    Lines(&'h dyn Fn(&str)),
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

/// What cargo says of something that it made.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    filenames: Vec<PathBuf>,
}

impl Target {
    fn is_cdylib(&self) -> bool {
        self.crate_types.iter().any(|kind| kind == "cdylib")
    }
}

impl GuestCrate {
    /// The crate in a folder.
    pub(super) async fn find(folder: &Path) -> anyhow::Result<Self> {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            bail!("{} holds no crate: there is no Cargo.toml; `gnomon new` makes one", folder.display());
        }
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let output = run(&folder, cargo(), &["metadata", "--no-deps", "--format-version", "1"]).await?;
        if !output.status.success() {
            bail!(
                "cargo does not understand {}:\n{}",
                manifest.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cargo's metadata is not understood")?;
        let manifest = folder.join("Cargo.toml");
        let names: Vec<String> = metadata.packages.iter().map(|package| format!("`{}`", package.name)).collect();
        let Some(package) = metadata.packages.into_iter().find(|package| package.manifest_path == manifest) else {
            bail!("{} is a workspace and no crate; give the folder of one of {}", folder.display(), names.join(", "));
        };
        if !package.targets.iter().any(Target::is_cdylib) {
            bail!(
                "the crate `{}` makes no component; its Cargo.toml needs\n  [lib]\n  crate-type = [\"cdylib\", \"rlib\"]",
                package.name
            );
        }
        Ok(Self { folder, package: package.name, id: package.id })
    }

    /// The name of its module: that of the package, with `_` for each `-`.
    pub(super) fn module_name(&self) -> String {
        self.package.replace('-', "_")
    }

    /// Makes the component.
    pub(super) async fn build(&self, words: CargoOutput<'_>) -> anyhow::Result<Component> {
        self.check_target().await?;
        let mut command = Command::new(cargo());
        command
            .args(["build", "--release", "--target", TARGET, "--package", &self.id])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(if matches!(words, CargoOutput::Inherited) { Stdio::inherit() } else { Stdio::piped() })
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| cannot_run("cargo", &error))?;
        let mut messages = BufReader::new(child.stdout.take().context("cargo has no stdout")?).lines();
        let find = async {
            let mut found = None;
            while let Some(line) = messages.next_line().await? {
                found = self.component(&line).or(found);
            }
            io::Result::Ok(found)
        };
        let mut said = Vec::new();
        let stderr = child.stderr.take();
        let listen = async {
            if let (Some(stderr), CargoOutput::Lines(hear)) = (stderr, &words) {
                let mut lines = BufReader::new(stderr).lines();
                while let Some(line) = lines.next_line().await? {
                    hear(line.trim());
                    said.push(line);
                }
            }
            io::Result::Ok(())
        };
        let (found, ()) = tokio::try_join!(find, listen).context("cannot hear cargo")?;
        if !child.wait().await?.success() {
            if !said.is_empty() {
                bail!("the crate `{}` does not build:\n{}", self.package, said.join("\n"));
            }
            bail!("the crate `{}` does not build; cargo says above why", self.package);
        }
        let path = found.with_context(|| format!("cargo made no component of the crate `{}`", self.package))?;
        let bytes = path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
        Ok(Component { path, bytes })
    }

    /// The component, if this is what a line of cargo's is about.
    fn component(&self, message: &str) -> Option<PathBuf> {
        let artifact: Artifact = serde_json::from_str(message).ok()?;
        if artifact.package_id != self.id || !artifact.target.is_cdylib() {
            return None;
        }
        artifact.filenames.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
    }

    /// Without the target, cargo speaks of a missing `core`, once for every crate.
    async fn check_target(&self) -> anyhow::Result<()> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let output = run(&self.folder, rustc, &["--print", "target-libdir", "--target", TARGET]).await?;
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if output.status.success() && !folder.is_dir() {
            bail!(
                "Rust's target {TARGET}, which components are compiled for, is not installed: `rustup target add {TARGET}`"
            );
        }
        Ok(())
    }
}

/// Cargo itself, where this program was started by it.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

async fn run(folder: &Path, program: OsString, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.map_err(|error| cannot_run(&program.to_string_lossy(), &error))
}

fn cannot_run(program: &str, error: &io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        anyhow::anyhow!("`{program}` is not there, and modules are built with it; https://rustup.rs installs Rust")
    } else {
        anyhow::anyhow!("cannot run `{program}`: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../projections").join(name)
    }

    async fn refused(folder: &Path) -> String {
        GuestCrate::find(folder).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_crate_of_a_workspace_is_found_by_its_folder() {
        assert_eq!(GuestCrate::find(&projection("bank")).await.unwrap().module_name(), "bank");
    }

    #[tokio::test]
    async fn a_folder_without_a_module_is_refused_with_the_way_out() {
        let empty = tempfile::tempdir().unwrap();
        assert!(refused(empty.path()).await.ends_with("there is no Cargo.toml; `gnomon new` makes one"));
        let library = refused(&projection("flight-events")).await;
        assert!(library.contains("`flight-events` makes no component"), "{library}");
        let workspace = refused(&projection("..")).await;
        assert!(workspace.contains("is a workspace and no crate") && workspace.contains("`bank`"), "{workspace}");
    }

    #[test]
    fn the_component_is_told_from_other_artifacts() {
        let guest = GuestCrate { folder: PathBuf::new(), package: "a".into(), id: "path+file:///a#0.1.0".into() };
        let message = |id: &str, kind: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","target":{{"crate_types":["{kind}"]}},
                    "filenames":["/t/a.rlib","/t/a.wasm"]}}"#
            )
        };
        assert_eq!(guest.component(&message("path+file:///a#0.1.0", "cdylib")), Some(PathBuf::from("/t/a.wasm")));
        assert_eq!(guest.component(&message("path+file:///b#0.1.0", "cdylib")), None);
        assert_eq!(guest.component(&message("path+file:///a#0.1.0", "lib")), None);
        assert_eq!(guest.component(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
