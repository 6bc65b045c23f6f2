//! The crate of a module: finding it, and building its component.

use std::{
    env,
    ffi::OsString,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The target of components.
const TARGET: &str = "wasm32-wasip2";

/// The crate of a module.
#[derive(Debug)]
pub(super) struct GuestCrate {
    folder: PathBuf,
    package: String,
    id: String,
}

/// A component on disk.
#[derive(Debug)]
pub(super) struct Component {
    /// Its path.
    pub(super) path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
}

/// What happens to the output of cargo.
pub(super) enum CargoOutput<'h> {
    /// It goes to stderr.
    Inherited,
    /// Each line is passed to a function; the error of a build that fails has all of them.
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

/// Cargo's message about an artifact.
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
    /// Finds the crate in a folder.
    pub(super) async fn find(folder: &Path) -> anyhow::Result<Self> {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            bail!("{} is not a crate: it has no Cargo.toml; `gnomon new` makes a crate", folder.display());
        }
        let folder = folder.canonicalize().with_context(|| format!("cannot read {}", folder.display()))?;
        let output = run(&folder, cargo(), &["metadata", "--no-deps", "--format-version", "1"]).await?;
        if !output.status.success() {
            bail!("cargo cannot read {}:\n{}", manifest.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cannot read the output of cargo metadata")?;
        let manifest = folder.join("Cargo.toml");
        let names: Vec<String> = metadata.packages.iter().map(|package| format!("`{}`", package.name)).collect();
        let Some(package) = metadata.packages.into_iter().find(|package| package.manifest_path == manifest) else {
            bail!(
                "{} is a workspace, not a crate; give the folder of one of its crates: {}",
                folder.display(),
                names.join(", ")
            );
        };
        if !package.targets.iter().any(Target::is_cdylib) {
            bail!(
                "the crate `{}` does not build a component; its Cargo.toml needs\n  [lib]\n  crate-type = [\"cdylib\", \"rlib\"]",
                package.name
            );
        }
        Ok(Self { folder, package: package.name, id: package.id })
    }

    /// The name of its module: that of the package, with `_` for each `-`.
    pub(super) fn module_name(&self) -> String {
        self.package.replace('-', "_")
    }

    /// The name of the crate.
    pub(super) fn package(&self) -> &str {
        &self.package
    }

    /// Runs the tests of the crate. What cargo and the tests print goes to stderr, since stdout is for data.
    pub(super) async fn test(&self) -> anyhow::Result<()> {
        let stderr = io::stderr().as_fd().try_clone_to_owned().context("cannot pass stderr on to cargo")?;
        let mut command = Command::new(cargo());
        command
            .args(["test", "--package", &self.id])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(stderr)
            .kill_on_drop(true);
        let status = command.status().await.map_err(|error| cannot_run("cargo", &error))?;
        if !status.success() {
            bail!(
                "the tests of the crate `{}` fail, as the output of cargo above says; nothing is uploaded. --no-test deploys without \
                 running them",
                self.package
            );
        }
        Ok(())
    }

    /// Builds the component.
    pub(super) async fn build(&self, output: CargoOutput<'_>) -> anyhow::Result<Component> {
        self.check_target().await?;
        let mut command = Command::new(cargo());
        command
            .args(["build", "--release", "--target", TARGET, "--package", &self.id])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(if matches!(output, CargoOutput::Inherited) { Stdio::inherit() } else { Stdio::piped() })
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
        let mut lines_of_stderr = Vec::new();
        let stderr = child.stderr.take();
        let read_stderr = async {
            if let (Some(stderr), CargoOutput::Lines(on_line)) = (stderr, &output) {
                let mut lines = BufReader::new(stderr).lines();
                while let Some(line) = lines.next_line().await? {
                    on_line(line.trim());
                    lines_of_stderr.push(line);
                }
            }
            io::Result::Ok(())
        };
        let (found, ()) = tokio::try_join!(find, read_stderr).context("cannot read the output of cargo")?;
        if !child.wait().await?.success() {
            if !lines_of_stderr.is_empty() {
                bail!("the crate `{}` does not build:\n{}", self.package, lines_of_stderr.join("\n"));
            }
            bail!("the crate `{}` does not build; the output of cargo above says why", self.package);
        }
        let path = found.with_context(|| format!("cargo built no component from the crate `{}`", self.package))?;
        let bytes = path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
        Ok(Component { path, bytes })
    }

    /// The path of the component, if a message of cargo is about it.
    fn component(&self, message: &str) -> Option<PathBuf> {
        let artifact: Artifact = serde_json::from_str(message).ok()?;
        if artifact.package_id != self.id || !artifact.target.is_cdylib() {
            return None;
        }
        artifact.filenames.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
    }

    /// Checks that the target is installed. Without it, cargo reports a missing crate `core`, once for every crate.
    async fn check_target(&self) -> anyhow::Result<()> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let output = run(&self.folder, rustc, &["--print", "target-libdir", "--target", TARGET]).await?;
        let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if output.status.success() && !folder.is_dir() {
            bail!(
                "Rust's target {TARGET}, which components need, is not installed; `rustup target add {TARGET}` installs it"
            );
        }
        Ok(())
    }
}

/// The cargo that has started this program, or the one of the PATH.
pub(super) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

async fn run(folder: &Path, program: OsString, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.map_err(|error| cannot_run(&program.to_string_lossy(), &error))
}

pub(super) fn cannot_run(program: &str, error: &io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        anyhow::anyhow!("`{program}` is not installed, and modules are built with it; https://rustup.rs installs Rust")
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
        assert!(refused(empty.path()).await.ends_with("it has no Cargo.toml; `gnomon new` makes a crate"));
        let library = refused(&projection("flight-events")).await;
        assert!(library.contains("`flight-events` does not build a component"), "{library}");
        let workspace = refused(&projection("..")).await;
        assert!(workspace.contains("is a workspace, not a crate") && workspace.contains("`bank`"), "{workspace}");
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
