//! Operations on builds, and the host's answers.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;

use super::{
    client::{Client, ClientError},
    output,
};
use crate::api::{self, Build, BuildState};

/// The host's answer to an operation.
#[derive(Debug)]
pub(super) struct Operated {
    answer: api::Operated,
    /// Whether the operation takes effect later.
    pub(super) later: bool,
}

/// The answer as it is printed with `--json`.
#[derive(Serialize)]
struct OperationResult<'o> {
    projection: &'o str,
    build: u64,
    version: Option<u32>,
    state: Option<&'o str>,
    checkpoint: Option<u64>,
    active_build: Option<u64>,
}

/// The request for an operation on a projection: `rebuild`, `activate` …
pub(super) fn request(client: &Client, name: &str, operation: &str, query: &impl Serialize) -> RequestBuilder {
    client.request(Method::POST, &["v1", "projections", name, operation]).query(query)
}

/// Sends the request for an operation on a projection.
pub(super) async fn operate(
    client: &Client,
    name: &str,
    operation: &str,
    query: &impl Serialize,
) -> Result<Operated, ClientError> {
    let (answer, status) = client.json_and_status(request(client, name, operation, query)).await?;
    Ok(Operated { answer, later: status == StatusCode::ACCEPTED })
}

impl From<api::Operated> for Operated {
    fn from(answer: api::Operated) -> Self {
        Self { answer, later: false }
    }
}

impl Operated {
    /// The number of the build.
    pub(super) fn number(&self) -> u64 {
        self.answer.build
    }

    /// The build, if the projection still lists it.
    pub(super) fn found(&self) -> Option<&Build> {
        self.answer.projection.build(self.answer.build)
    }

    /// The build with its version and projection: ``build 4 (version 2) of `bank` ``.
    pub(super) fn label(&self) -> String {
        let label = self.found().map_or_else(|| format!("build {}", self.number()), Build::label);
        format!("{label} of `{}`", self.answer.projection.name)
    }

    /// Prints the answer as JSON, with `now` as the newer state of the build, if it was followed.
    ///
    /// # Errors
    /// As [`output::data`].
    pub(super) fn print(&self, now: Option<&Build>) -> std::io::Result<()> {
        let build = now.or(self.found());
        let active = now.is_some_and(|now| now.state == BuildState::Active).then_some(self.number());
        output::json(&OperationResult {
            projection: &self.answer.projection.name,
            build: self.number(),
            version: build.map(|build| build.version),
            state: build.map(|build| build.state.as_str()),
            checkpoint: build.map(|build| build.checkpoint),
            active_build: active.or(self.answer.projection.active_build),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    #[test]
    fn a_build_is_named_with_its_version() {
        let build = samples::build(json!({"build": 2, "version": 7}));
        let projection = samples::projection(Some(1), vec![build.clone()]);
        let operated = Operated::from(api::Operated { build: 2, projection });
        assert_eq!((operated.number(), operated.label().as_str()), (2, "build 2 (version 7) of `bank`"));
        assert_eq!(operated.found(), Some(&build));
    }
}
