//! `gnomon deploy`

mod review;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use reqwest::{Method, StatusCode, header};
use serde::Serialize;
use serde_json::value::RawValue;

use self::review::Review;
use super::{
    client::Client,
    compare::samples,
    follow::{Goal, follow},
    guest_crate::{CargoOutput, GuestCrate},
    output::{self, say},
    progress::Progress,
    upcasters,
};
use crate::{
    api::{Activation, BuildState, ModuleKind, NewBuild, ReplacedBuild, UploadQuery, Uploaded},
    config::ClientOptions,
    read_model::Identifier,
};

/// Upload a module, and follow its build until it has caught up.
///
/// A folder is compiled to a component first. A component that was not uploaded before is the module's next version. The new build
/// of a projection fills its tables beside the active build, and becomes active when it has caught up.
#[derive(Args, Debug)]
pub(super) struct Deploy {
    /// A crate's folder, or a component (.wasm)
    #[arg(default_value = ".")]
    path: PathBuf,

    /// The module's name [default: the crate's, or the file's, with `_` for each `-`]
    #[arg(long)]
    name: Option<String>,

    /// When the new version becomes active
    #[arg(long, value_enum, default_value_t)]
    activate: Activate,

    /// Do not wait until the new build has caught up
    #[arg(long)]
    no_wait: bool,

    /// Compare the new build with the active one when it has caught up, and ask whether to activate it. Without a terminal, the build
    /// stays live unless there is --yes. The command succeeds in each case: its result is that of the deployment, not of the comparison
    #[arg(long, conflicts_with_all = ["activate", "no_wait"])]
    compare: bool,

    /// Activate it after --compare without asking, also if the two cannot be compared
    #[arg(long, requires = "compare")]
    yes: bool,

    /// Rows of each kind of difference that --compare shows, for each table [default: 5]
    #[arg(long, value_name = "NUMBER", requires = "compare", value_parser = samples)]
    samples: Option<usize>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// When a build becomes the active one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Activate {
    /// As soon as it has caught up
    #[default]
    Auto,
    /// When an operator activates it
    Manual,
}

impl Activate {
    /// The state until which a build is followed.
    pub(super) fn goal(self) -> Goal {
        match self {
            Self::Auto => Goal::Active,
            Self::Manual => Goal::Live,
        }
    }
}

impl From<Activate> for Activation {
    fn from(activate: Activate) -> Self {
        match activate {
            Activate::Auto => Self::Auto,
            Activate::Manual => Self::Manual,
        }
    }
}

impl fmt::Display for Activate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        })
    }
}

/// A module that was uploaded.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) uploaded: Uploaded,
    /// Whether the version is new, and not one with the same bytes.
    pub(super) new: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct DeployResult<'a> {
    name: &'a str,
    version: u32,
    digest: &'a str,
    kind: &'a ModuleKind,
    build: Option<u64>,
    /// The build that was active when the version was deployed, if the build of the version replaces it.
    replaces: Option<ReplacedBuild>,
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<&'a [NewBuild]>,
    new: bool,
    state: Option<&'a BuildState>,
    checkpoint: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Box<RawValue>>,
}

impl Deploy {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (name, component) = self.component().await?;
        let activate = if self.compare { Activate::Manual } else { self.activate };
        let upload = upload(&client, &name, &component, activate).await?;
        say(upload.describe());
        let Upload { uploaded, new } = upload;
        let (mut build, mut comparison) = (None, None);
        match (&uploaded.builds, uploaded.build) {
            (_, Some(number)) if self.compare => {
                let review = Review { client: &client, name: &name, number, samples: self.samples, yes: self.yes };
                let reviewed = review.run(!self.json).await?;
                build = Some(reviewed.build);
                comparison = reviewed.comparison;
            }
            (_, Some(number)) if !self.no_wait => {
                let progress = Progress::start();
                let followed = follow(&client, &name, number, self.activate.goal(), &progress).await?;
                progress.say(followed.describe());
                if let (Some(replaced), true) = (&uploaded.replaces, followed.is_active()) {
                    progress.say(describe_replaced(&name, uploaded.version, replaced));
                }
                build = Some(followed.build);
            }
            (_, Some(number)) => {
                if let Some(replaced) = &uploaded.replaces {
                    say(format_args!("build {number} of `{name}` replaces {replaced} when it has caught up"));
                }
            }
            (Some(begun), None) => {
                say(upcasters::describe_builds(begun));
                if !self.no_wait {
                    upcasters::follow_all(&client, begun).await?;
                }
            }
            (None, None) => {
                let advice = format!("`gnomon upcasters activate {name}` activates it");
                if self.compare {
                    bail!("only builds of projections can be compared, and `{name}` is an {}; {advice}", uploaded.kind);
                }
                say(advice);
            }
        }
        if self.json {
            output::json(&DeployResult {
                name: &uploaded.name,
                version: uploaded.version,
                digest: &uploaded.digest,
                kind: &uploaded.kind,
                build: uploaded.build,
                replaces: uploaded.replaces,
                builds: uploaded.builds.as_deref(),
                new,
                state: build.as_ref().map(|build| &build.state),
                checkpoint: build.as_ref().map(|build| build.checkpoint),
                comparison,
            })?;
        }
        Ok(())
    }

    /// The module's name, and the path of its component.
    async fn component(&self) -> anyhow::Result<(String, PathBuf)> {
        // Refuses a name that the host would refuse before a long build.
        let name = |default: &str| checked_name(self.name.as_deref(), default);
        if self.path.is_dir() {
            let guest = GuestCrate::find(&self.path).await?;
            let name = name(&guest.module_name())?;
            return Ok((name, guest.build(CargoOutput::Inherited).await?.path));
        }
        let file = self.path.file_stem().unwrap_or_default().to_string_lossy();
        Ok((name(&file.replace('-', "_"))?, self.path.clone()))
    }
}

fn checked_name(given: Option<&str>, default: &str) -> anyhow::Result<String> {
    let name = given.unwrap_or(default);
    let name = Identifier::new(name).with_context(|| {
        if given.is_some() {
            "--name is not a valid name of a module".to_owned()
        } else {
            "give the module a name with --name".to_owned()
        }
    })?;
    Ok(name.as_str().to_owned())
}

impl Upload {
    fn describe(&self) -> String {
        let Uploaded { name, version, kind, .. } = &self.uploaded;
        if self.new {
            format!("uploaded {kind} `{name}`, version {version}")
        } else {
            format!("{kind} `{name}` is unchanged: version {version} has the same bytes")
        }
    }
}

/// Says which build was replaced, and how to go back to it. A rollback goes to an older build only.
fn describe_replaced(name: &str, version: u32, replaced: &ReplacedBuild) -> String {
    if replaced.version > version {
        let back = format!("`gnomon activate {name} {}` goes back to it", replaced.build);
        return format!("it replaces {replaced}, whose version is newer; {back}");
    }
    format!("it replaces {replaced}; `gnomon activate {name} {}` goes back to it", replaced.build)
}

/// Uploads a component.
pub(super) async fn upload(
    client: &Client,
    name: &str,
    component: &Path,
    activate: Activate,
) -> anyhow::Result<Upload> {
    let bytes = tokio::fs::read(component).await.with_context(|| format!("cannot read {}", component.display()))?;
    let request = client
        .request(Method::PUT, &["v1", "modules", name])
        .query(&UploadQuery { activate: activate.into() })
        .header(header::CONTENT_TYPE, "application/wasm")
        .body(bytes);
    let (uploaded, status) = client.json_and_status(request).await?;
    Ok(Upload { uploaded, new: status == StatusCode::CREATED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_anything_is_built() {
        assert_eq!(checked_name(None, "carrier_daily").unwrap(), "carrier_daily");
        assert_eq!(checked_name(Some("other"), "carrier_daily").unwrap(), "other");
        let error = format!("{:#}", checked_name(Some("Other"), "carrier_daily").unwrap_err());
        assert!(
            error.starts_with("--name is not a valid name of a module: the name `Other` must be made of"),
            "{error}"
        );
        let error = format!("{:#}", checked_name(None, "1st").unwrap_err());
        assert!(error.starts_with("give the module a name with --name: the name `1st`"), "{error}");
    }
}
