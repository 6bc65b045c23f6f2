//! Operations on builds, and the host's answers.

use std::fmt;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;

use super::{
    client::{Client, ClientError},
    output,
};
use crate::api::{self, Build, BuildState, ReplacedBuild};

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

/// The answer to an activation as it is printed with `--json`.
#[derive(Serialize)]
struct ActivationResult<'o> {
    #[serde(flatten)]
    result: OperationResult<'o>,
    replaced: Option<ReplacedBuild>,
    already_active: bool,
    stands_still_at: Option<u64>,
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
    let request = request(client, name, operation, query);
    let (answer, status) = client.json_and_status(request).await.map_err(unknown(name, operation))?;
    Ok(Operated { answer, later: status == StatusCode::ACCEPTED })
}

impl From<api::Operated> for Operated {
    fn from(answer: api::Operated) -> Self {
        Self { answer, later: false }
    }
}

/// Sends the request for `activate` or `rollback`.
pub(super) async fn activate(
    client: &Client,
    name: &str,
    operation: &str,
    query: &impl Serialize,
) -> Result<Activated, ClientError> {
    let request = request(client, name, operation, query);
    let (answer, status): (api::Activated, _) =
        client.json_and_status(request).await.map_err(unknown(name, operation))?;
    let api::Activated { replaced, already_active, stands_still_at, operated } = answer;
    let operated = Operated { answer: operated, later: status == StatusCode::ACCEPTED };
    Ok(Activated { replaced, already_active, stands_still_at, operated })
}

/// Adds to the error of a connection that was lost that the operation may have been done.
fn unknown(name: &str, operation: &str) -> impl Fn(ClientError) -> ClientError {
    move |error| match error {
        ClientError::Broken { url, reason } => {
            let history = format!("whether `{operation}` was done is not known, and `gnomon history {name}` shows it");
            ClientError::Broken { url, reason: format!("{reason}; {history}") }
        }
        other => other,
    }
}

/// The host's answer to an activation.
#[derive(Debug)]
pub(super) struct Activated {
    replaced: Option<ReplacedBuild>,
    already_active: bool,
    stands_still_at: Option<u64>,
    pub(super) operated: Operated,
}

impl Activated {
    /// The result as a sentence.
    pub(super) fn describe(&self) -> String {
        let Self { replaced, already_active, stands_still_at, operated } = self;
        let (label, name, number) = (operated.label(), &operated.answer.projection.name, operated.number());
        let mut text = match (operated.later, already_active) {
            (true, _) => format!("queries will read {label} when it has caught up"),
            (false, true) => format!("queries read {label} already, and nothing has changed"),
            (false, false) => format!("queries read {label}"),
        };
        if let Some(replaced) = replaced {
            text += &format!(", which replaces {replaced}");
        }
        if let Some(position) = stands_still_at {
            let state = operated.found().map(|build| build.state.to_string()).unwrap_or_default();
            let way = match operated.found().map(|build| &build.state) {
                Some(BuildState::Paused) => format!("`gnomon resume {name} {number}` resumes it"),
                _ => format!("`gnomon projections {name}` says why, `gnomon retry {name} {number}` lets it continue"),
            };
            text += &format!("; it is {state} and stands still at position {position}: {way}");
        }
        if *already_active {
            text += &format!(
                "; `gnomon rollback {name}` goes back, `gnomon activate {name} BUILD` turns to any other build"
            );
        }
        text
    }

    /// Prints the answer as JSON, with `now` as the newer state of the build, if it was followed.
    ///
    /// # Errors
    /// As [`output::data`].
    pub(super) fn print(&self, now: Option<&Build>) -> std::io::Result<()> {
        let Self { replaced, already_active, stands_still_at, operated } = self;
        let result = operated.result(now);
        output::json(&ActivationResult {
            result,
            replaced: *replaced,
            already_active: *already_active,
            stands_still_at: *stands_still_at,
        })
    }
}

impl fmt::Display for ReplacedBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "build {} (version {})", self.build, self.version)
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
        output::json(&self.result(now))
    }

    fn result<'o>(&'o self, now: Option<&'o Build>) -> OperationResult<'o> {
        let build = now.or(self.found());
        let active = now.is_some_and(|now| now.state == BuildState::Active).then_some(self.number());
        OperationResult {
            projection: &self.answer.projection.name,
            build: self.number(),
            version: build.map(|build| build.version),
            state: build.map(|build| build.state.as_str()),
            checkpoint: build.map(|build| build.checkpoint),
            active_build: active.or(self.answer.projection.active_build),
        }
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

    fn activated(members: serde_json::Value, state: &str) -> String {
        let build = samples::build(json!({"build": 1, "state": state, "checkpoint": 7}));
        let mut answer = json!({"replaced": null, "already_active": false, "stands_still_at": null, "build": 1});
        let projection = serde_json::to_value(samples::projection(Some(1), vec![build])).unwrap();
        for members in [projection, members] {
            answer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        }
        let answer: api::Activated = serde_json::from_str(&answer.to_string()).unwrap();
        let api::Activated { replaced, already_active, stands_still_at, operated } = answer;
        Activated { replaced, already_active, stands_still_at, operated: operated.into() }.describe()
    }

    #[test]
    fn an_activation_says_what_it_replaces_and_whether_the_build_stands_still() {
        let replaced = activated(json!({"replaced": {"build": 2, "version": 2}}), "active");
        assert_eq!(replaced, "queries read build 1 (version 1) of `bank`, which replaces build 2 (version 2)");
        let stopped = activated(json!({"stands_still_at": 7}), "halted");
        insta::assert_snapshot!(stopped, @"queries read build 1 (version 1) of `bank`; it is halted and stands still at position 7: `gnomon projections bank` says why, `gnomon retry bank 1` lets it continue");
        let already = activated(json!({"already_active": true}), "active");
        insta::assert_snapshot!(already, @"queries read build 1 (version 1) of `bank` already, and nothing has changed; `gnomon rollback bank` goes back, `gnomon activate bank BUILD` turns to any other build");
    }

    #[test]
    fn a_lost_connection_leaves_open_whether_the_operation_was_done() {
        let lost = ClientError::Broken { url: "http://h".to_owned(), reason: "reset".to_owned() };
        assert_eq!(
            unknown("bank", "rebuild")(lost).to_string(),
            "the connection to http://h was lost: reset; whether `rebuild` was done is not known, and `gnomon history bank` shows it"
        );
    }
}
