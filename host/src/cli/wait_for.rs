//! Waiting until queries on a projection show what was appended.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};

use super::{
    client::{Client, ClientError},
    figures,
    problem::Problem,
    progress::Progress,
};
use crate::api::{BuildState, Projection};

/// The longest that one request waits, so that a build that stops is noticed and the user hears what is waited for.
const REQUEST: Duration = Duration::from_secs(1);

/// The end of a wait.
#[derive(Debug)]
pub(super) enum Waited {
    /// The answer, which holds the effect of the event at the position.
    Reached(Response),
    /// The host's log does not reach so far.
    BeyondHead(Box<Problem>),
    /// The projection has not reached the position; the text says why and where it is.
    Behind(String),
}

/// Sends a request on a projection until its answer holds the effect of the event at a position, for `timeout` at most.
///
/// # Errors
/// The host does not answer, or refuses the request for another reason.
pub(super) async fn wait_for(
    client: &Client,
    projection: &str,
    position: u64,
    timeout: Duration,
    request: impl Fn() -> RequestBuilder,
) -> Result<Waited, ClientError> {
    let progress = Progress::start();
    let begun = Instant::now();
    loop {
        let left = timeout.saturating_sub(begun.elapsed());
        let wait = left.min(REQUEST).as_secs_f64().ceil();
        let request = request().header("gnomon-min-position", position).header("prefer", format!("wait={wait}"));
        let problem = match client.send(request).await {
            Ok(response) => return Ok(Waited::Reached(response)),
            Err(ClientError::Refused(problem)) => problem,
            Err(error) => return Err(error),
        };
        match problem.code() {
            "position_beyond_head" => return Ok(Waited::BeyondHead(problem)),
            "read_model_behind" | "projection_not_ready" => {}
            _ => return Err(ClientError::Refused(problem)),
        }
        let behind = match problem.number("position") {
            Some(at) => format!("`{projection}` is at position {}", figures::count(at)),
            None => format!("no build of `{projection}` has caught up yet"),
        };
        if let Some(why) = why_stopped(client, projection).await? {
            return Ok(Waited::Behind(format!("{behind}: {why}")));
        }
        if left.is_zero() {
            return Ok(Waited::Behind(format!("{behind} after {}", figures::time(timeout))));
        }
        progress.show(
            begun.elapsed().as_secs(),
            None,
            format!("waiting for position {}; {behind}", figures::count(position)),
        );
    }
}

/// Why the projection gets no further, if its active build has stopped, or its newest if none is active.
async fn why_stopped(client: &Client, name: &str) -> Result<Option<String>, ClientError> {
    let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
    let active = projection.active_build.and_then(|active| projection.build(active));
    let build = active.or_else(|| projection.builds.iter().find(|build| !build.verifies()));
    let Some(build) = build else { return Ok(None) };
    Ok(match &build.state {
        BuildState::Paused => {
            let number = build.build;
            Some(format!("build {number} is paused; `gnomon resume {name} {number}` resumes it"))
        }
        BuildState::Halted | BuildState::Failed => {
            let why = build.why_it_stopped(name);
            Some(why.unwrap_or_else(|| format!("build {} is {}", build.build, build.state)))
        }
        _ => None,
    })
}
