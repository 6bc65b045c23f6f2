//! Deploying several modules as one change.

use anyhow::{Context, bail};
use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Activate, Candidate, Deploy, Upload, advice, put, review::Review};
use crate::{
    api::{BuildState, Deployment, ModuleKind, NewBuild, NewDeployment, UploadQuery, VersionToDeploy},
    cli::{
        client::Client,
        follow::Goal,
        output::{self, say},
        reactors, upcasters,
    },
};

/// What `--json` prints.
#[derive(Serialize)]
struct SeveralResult<'a> {
    modules: Vec<ModuleResult<'a>>,
    builds: Vec<BuildResult>,
}

#[derive(Serialize)]
struct ModuleResult<'a> {
    name: &'a str,
    version: u32,
    digest: &'a str,
    kind: &'a ModuleKind,
    new: bool,
}

#[derive(Serialize)]
struct BuildResult {
    projection: String,
    build: u64,
    state: Option<BuildState>,
    checkpoint: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Box<RawValue>>,
}

impl Deploy {
    /// Stores the modules, and deploys them in one request.
    pub(super) async fn several(&self, client: &Client, candidates: &[Candidate]) -> anyhow::Result<()> {
        if self.from.is_some() {
            bail!("--from is for one reactor; deploy it alone");
        }
        let mut uploads = Vec::new();
        for Candidate { name, component } in candidates {
            let query = UploadQuery { activate: self.activate().into(), deploy: false, from: None };
            let upload = put(client, name, component, query).await.with_context(|| format!("module `{name}`"))?;
            say(upload.describe());
            uploads.push(upload);
        }
        let builds = if self.has_projection(&uploads)? || self.activate() == Activate::Auto {
            let deployment = self.deploy(client, &uploads).await?;
            self.wait(client, deployment.builds).await?
        } else {
            for upload in &uploads {
                if let Some(advice) = advice(&upload.uploaded.name, &upload.uploaded.kind) {
                    say(advice);
                }
            }
            Vec::new()
        };
        if self.json {
            output::json(&SeveralResult { modules: uploads.iter().map(Upload::result).collect(), builds })?;
        }
        Ok(())
    }

    /// Whether one of the modules is a projection. Without one, there is nothing to compare, and upcasters that an operator is to
    /// activate are only stored.
    fn has_projection(&self, uploads: &[Upload]) -> anyhow::Result<bool> {
        let found = uploads.iter().any(|upload| upload.uploaded.kind == ModuleKind::Projection);
        if !found && self.compare {
            bail!(
                "only builds of projections can be compared, and none of the modules is one; `gnomon upcasters activate` activates \
                 them"
            );
        }
        Ok(found)
    }

    async fn deploy(&self, client: &Client, uploads: &[Upload]) -> anyhow::Result<Deployment> {
        let version = |Upload { uploaded, .. }: &Upload| VersionToDeploy {
            name: uploaded.name.clone(),
            version: uploaded.version,
        };
        let modules = uploads.iter().map(version).collect();
        let wanted = NewDeployment { modules, activate: self.activate().into() };
        let request = client.request(Method::POST, &["v1", "deployments"]).json(&wanted);
        let deployment: Deployment =
            client.json(request).await.context("the versions are stored, and none of them is deployed")?;
        for module in deployment.modules.iter().filter(|module| module.kind == ModuleKind::Upcaster) {
            say(format_args!(
                "upcaster `{}` is active in version {}: new builds go through it",
                module.name, module.version
            ));
        }
        for reactor in &deployment.reactors {
            say(reactors::describe(reactor));
        }
        if !deployment.builds.is_empty() || deployment.reactors.is_empty() {
            say(upcasters::describe("builds", &deployment.builds));
        }
        Ok(deployment)
    }

    /// Waits for the builds as the options say.
    async fn wait(&self, client: &Client, begun: Vec<NewBuild>) -> anyhow::Result<Vec<BuildResult>> {
        let mut results = Vec::new();
        if self.compare {
            for NewBuild { projection, build: number, .. } in begun {
                let review = Review { client, name: &projection, number, samples: self.samples, yes: self.yes };
                let reviewed = review.run(!self.json).await?;
                results.push(BuildResult {
                    projection,
                    build: number,
                    state: Some(reviewed.build.state),
                    checkpoint: Some(reviewed.build.checkpoint),
                    comparison: reviewed.comparison,
                });
            }
        } else if self.no_wait {
            results.extend(begun.into_iter().map(|NewBuild { projection, build, .. }| BuildResult {
                projection,
                build,
                state: None,
                checkpoint: None,
                comparison: None,
            }));
        } else {
            // A projection that only reads what an upcaster rewrites may wait for an operator.
            let goal = if self.activate() == Activate::Auto { Goal::ActiveUnlessManual } else { Goal::Live };
            for followed in upcasters::follow_all(client, &begun, goal).await? {
                results.push(BuildResult {
                    projection: followed.projection,
                    build: followed.build.build,
                    state: Some(followed.build.state),
                    checkpoint: Some(followed.build.checkpoint),
                    comparison: None,
                });
            }
        }
        Ok(results)
    }
}

impl Upload {
    fn result(&self) -> ModuleResult<'_> {
        let uploaded = &self.uploaded;
        ModuleResult {
            name: &uploaded.name,
            version: uploaded.version,
            digest: &uploaded.digest,
            kind: &uploaded.kind,
            new: self.new,
        }
    }
}
