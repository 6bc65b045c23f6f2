//! Waiting until queries on a projection show what was appended.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};

use super::{
    client::{Client, ClientError},
    figures,
    problem::Problem,
    progress::Progress,
};
use crate::api::{Build, BuildState, Projection};

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

/// Why the projection gets no further, if its active build has stopped, or if none is active and none is on its way.
async fn why_stopped(client: &Client, name: &str) -> Result<Option<String>, ClientError> {
    let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
    let active = projection.active_build.and_then(|active| projection.build(active));
    let build = active.or_else(|| {
        let on_its_way = |build: &&Build| matches!(build.state, BuildState::Replaying | BuildState::Live);
        projection.builds.iter().find(on_its_way).or(projection.builds.first())
    });
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{
        Json, Router,
        extract::State,
        http::{HeaderMap, StatusCode},
        routing::get,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::projection::samples;

    /// The answers of a host to one request after the other; the last one stays.
    type Answers = &'static [(u16, &'static str, Option<u64>)];

    /// A host whose projection `bank` has an active build in this state, and a client of it.
    async fn host(answers: Answers, state: &'static str) -> Client {
        let build = samples::build(json!({"state": state, "checkpoint": 5, "head": 12}));
        let projection = serde_json::to_value(samples::projection(Some(4), vec![build])).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let answer = async move |State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap| {
            assert_eq!(headers["gnomon-min-position"], "12");
            let (status, code, position) = answers[asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)];
            let body: Value = json!({"code": code, "detail": code, "position": position});
            (StatusCode::from_u16(status).unwrap(), Json(body))
        };
        let router = Router::new()
            .route("/v1/projections/bank", get(async move || Json(projection)))
            .route("/v1/read-models/bank", get(answer))
            .with_state(asked);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::of(&url).unwrap()
    }

    async fn wait(client: &Client, seconds: u64) -> Result<Waited, ClientError> {
        let request = || client.get(&["v1", "read-models", "bank"]);
        wait_for(client, "bank", 12, Duration::from_secs(seconds), request).await
    }

    const BEHIND: (u16, &str, Option<u64>) = (503, "read_model_behind", Some(5));
    const NOT_READY: (u16, &str, Option<u64>) = (503, "projection_not_ready", None);
    const REACHED: (u16, &str, Option<u64>) = (200, "", None);

    #[tokio::test]
    async fn a_position_is_asked_for_until_it_is_reached() {
        let client = host(&[NOT_READY, BEHIND, BEHIND, REACHED], "active").await;
        let waited = wait(&client, 3000).await.unwrap();
        assert!(matches!(waited, Waited::Reached(_)), "{waited:?}");
    }

    #[tokio::test]
    async fn a_wait_that_is_too_long_ends_with_where_the_projection_is() {
        for (answer, why) in
            [(BEHIND, "`bank` is at position 5 after "), (NOT_READY, "no build of `bank` has caught up yet after ")]
        {
            let client = host(Box::leak(Box::new([answer])), "active").await;
            let waited = wait(&client, 0).await.unwrap();
            assert!(matches!(&waited, Waited::Behind(reason) if reason.starts_with(why)), "{waited:?}");
        }
    }

    #[tokio::test]
    async fn a_projection_that_has_stopped_and_another_log_end_the_wait_at_once() {
        let client = host(&[BEHIND], "paused").await;
        let waited = wait(&client, 3000).await.unwrap();
        let paused = "`bank` is at position 5: build 4 is paused; `gnomon resume bank 4` resumes it";
        assert!(matches!(&waited, Waited::Behind(reason) if reason == paused), "{waited:?}");
        let client = host(&[(409, "position_beyond_head", None)], "active").await;
        assert!(matches!(wait(&client, 3000).await.unwrap(), Waited::BeyondHead(_)));
        let client = host(&[(404, "table_not_found", None)], "active").await;
        assert!(matches!(wait(&client, 3000).await, Err(ClientError::Refused(_))));
    }
}
