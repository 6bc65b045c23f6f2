//! `gnomon deploy`

mod candidate;
mod review;
mod several;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use reqwest::{Method, StatusCode, header};
use serde::Serialize;
use serde_json::value::RawValue;

use self::{
    candidate::{Candidate, candidates},
    review::Review,
};
use super::{
    client::Client,
    compare::samples,
    follow::{Goal, follow},
    output::{self, say},
    progress::Progress,
    reactors, upcasters,
};
use crate::{
    api::{Activation, BuildState, DeployedReactor, ModuleKind, NewBuild, ReplacedBuild, UploadQuery, Uploaded},
    config::ClientOptions,
};

/// Upload a module, and follow its build until it has caught up.
///
/// The tests of a crate are run first, and it is compiled to a component. A component that was not uploaded before is the module's next
/// version. The new build of a projection fills its tables beside the active build, and becomes active when it has caught up. A reactor begins with
/// the next event that comes, and its next version goes on where the one before stopped.
///
/// Several modules are deployed as one change, such as an upcaster and the projections that read what it makes of events: the upcasters
/// become active and each projection gets one build that goes through all of them, or nothing changes.
#[derive(Args, Debug)]
pub(super) struct Deploy {
    /// A crate's folder, or a component (.wasm); several are deployed as one change
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// The module's name [default: the crate's, or the file's, with `_` for each `-`]
    #[arg(long)]
    name: Option<String>,

    /// Do not run the tests of crates
    #[arg(long)]
    no_test: bool,

    /// When the new version becomes active; if there are several modules, when their builds do
    #[arg(long, value_enum, default_value_t)]
    activate: Activate,

    /// Of a reactor that has not begun, the position of the first event that it gets [default: the next event that comes]
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,

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
    #[serde(skip_serializing_if = "Option::is_none")]
    reactor: Option<&'a DeployedReactor>,
    new: bool,
    state: Option<&'a BuildState>,
    checkpoint: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Box<RawValue>>,
}

impl Deploy {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let found = candidates(&self.paths, self.name.as_deref(), !self.no_test).await?;
        match <[Candidate; 1]>::try_from(found) {
            Ok([one]) => self.one(&client, one).await,
            Err(several) => self.several(&client, &several).await,
        }
    }

    /// When the new builds become active.
    fn activate(&self) -> Activate {
        if self.compare { Activate::Manual } else { self.activate }
    }

    /// Deploys one module: it is uploaded and takes effect in one request.
    async fn one(&self, client: &Client, Candidate { name, component }: Candidate) -> anyhow::Result<()> {
        let query = UploadQuery { activate: self.activate().into(), deploy: true, from: self.from };
        let upload = put(client, &name, &component, query).await?;
        say(upload.describe());
        let Upload { uploaded, new } = upload;
        let (mut build, mut comparison) = (None, None);
        match (&uploaded.builds, uploaded.build) {
            (_, Some(number)) if self.compare => {
                let review = Review { client, name: &name, number, samples: self.samples, yes: self.yes };
                let reviewed = review.run(!self.json).await?;
                build = Some(reviewed.build);
                comparison = reviewed.comparison;
            }
            (_, Some(number)) if !self.no_wait => {
                let progress = Progress::start();
                let followed = follow(client, &name, number, self.activate.goal(), &progress).await?;
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
                    upcasters::follow_all(client, begun, Goal::ActiveUnlessManual).await?;
                }
            }
            (None, None) => {
                let stored = match (&uploaded.kind, &uploaded.reactor) {
                    (_, Some(reactor)) => Some(reactors::describe(reactor)),
                    (kind, None) => advice(&name, kind),
                };
                if self.compare {
                    let article = if uploaded.kind == ModuleKind::Upcaster { "an" } else { "a" };
                    let stored = stored.map(|stored| format!("; {stored}")).unwrap_or_default();
                    bail!(
                        "only builds of projections can be compared, and `{name}` is {article} {}{stored}",
                        uploaded.kind
                    );
                }
                if let Some(stored) = stored {
                    say(stored);
                }
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
                reactor: uploaded.reactor.as_ref(),
                new,
                state: build.as_ref().map(|build| &build.state),
                checkpoint: build.as_ref().map(|build| build.checkpoint),
                comparison,
            })?;
        }
        Ok(())
    }
}

/// How a module that is only stored takes effect.
fn advice(name: &str, kind: &ModuleKind) -> Option<String> {
    match kind {
        ModuleKind::Upcaster => Some(format!("`gnomon upcasters activate {name}` activates it")),
        ModuleKind::Reactor => Some(format!("`gnomon reactors activate {name}` lets it work")),
        _ => None,
    }
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

/// Says which build was replaced, and how to go back to it.
fn describe_replaced(name: &str, version: u32, replaced: &ReplacedBuild) -> String {
    let newer = if replaced.version > version { ", whose version is newer" } else { "" };
    format!("it replaces {replaced}{newer}; `gnomon activate {name} {}` goes back to it", replaced.build)
}

/// Uploads a component, and deploys it.
pub(super) async fn upload(
    client: &Client,
    name: &str,
    component: &Path,
    activate: Activate,
) -> anyhow::Result<Upload> {
    put(client, name, component, UploadQuery { activate: activate.into(), deploy: true, from: None }).await
}

/// Uploads a component as `query` says.
pub(super) async fn put(client: &Client, name: &str, component: &Path, query: UploadQuery) -> anyhow::Result<Upload> {
    let bytes = tokio::fs::read(component).await.with_context(|| format!("cannot read {}", component.display()))?;
    let request = client
        .request(Method::PUT, &["v1", "modules", name])
        .query(&query)
        .header(header::CONTENT_TYPE, "application/wasm")
        .body(bytes);
    let (uploaded, status) = client.json_and_status(request).await?;
    Ok(Upload { uploaded, new: status == StatusCode::CREATED })
}
