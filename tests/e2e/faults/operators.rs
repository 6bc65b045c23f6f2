//! An operator who deploys, activates, rolls back, rebuilds, pauses, resumes, retries, retires and compares at random, and changes a
//! reactor and its sinks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{addresses::Addresses, effects::REACTOR, expected::Projection};
use crate::support::client;

/// Builds of a projection that are kept; where there are more, one is retired.
const BUILDS: usize = 6;
/// Longer than the longest timeout of a host.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

pub(super) struct Operator {
    pub(super) addresses: Arc<Addresses>,
    pub(super) random: StdRng,
    pub(super) stop: Arc<AtomicBool>,
    /// The versions of `tally`.
    pub(super) components: [Vec<u8>; 2],
    /// The versions of the reactor.
    pub(super) reactors: [Vec<u8>; 2],
    /// Its sinks, with settings that may take each other's place.
    pub(super) sinks: [[(&'static str, Value); 2]; 2],
}

/// How many operations of each kind were answered with each status.
pub(super) type Answers = BTreeMap<(&'static str, StatusCode), usize>;

impl Operator {
    /// Operates until it is stopped.
    pub(super) async fn operate(mut self) -> Result<Answers, String> {
        let client = client();
        let mut answers = Answers::new();
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..150))).await;
            if self.random.random_ratio(1, 10) {
                self.change_reactor(&client, &mut answers).await?;
                continue;
            }
            let projection = Projection::ALL[self.random.random_range(0..Projection::ALL.len())].name();
            let target = self.addresses.target(self.random.random_range(0..usize::MAX)).url;
            let Some((StatusCode::OK, found)) =
                answer(client.get(format!("{target}/v1/projections/{projection}"))).await
            else {
                continue;
            };
            let (operation, method, path) = self.operation(projection, &found);
            let mut request = client.request(method, format!("{target}{path}")).timeout(REQUEST_TIMEOUT);
            if operation == "deploy" {
                let component = self.components[self.random.random_range(0..2)].clone();
                request = request.header("content-type", "application/wasm").body(component);
            } else if operation == "compare" {
                request = request.header("prefer", "wait=3");
            }
            // Without an answer, the operation may have taken effect or not.
            let Some((status, body)) = answer(request).await else { continue };
            let is_fine = match status {
                // The build does not fit the operation, or was retired in the meantime. A deployed version always fits.
                StatusCode::CONFLICT | StatusCode::NOT_FOUND => operation != "deploy",
                status => status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE,
            };
            if !is_fine {
                return Err(format!("{path} was answered {status}: {body}"));
            }
            if operation == "compare" && status.is_success() {
                // A build goes through the upcasters that were active when it began.
                let upcasters = |side: &str| upcasters_of(&found, &body[side]["build"]);
                let same =
                    body["left"]["version"] == body["right"]["version"] && upcasters("left") == upcasters("right");
                if same && body["identical"] != json!(true) {
                    return Err(format!("{path}: two builds of one version differ: {body}"));
                }
            }
            *answers.entry((operation, status)).or_default() += 1;
        }
        Ok(answers)
    }

    /// Deploys a version of the reactor, pauses, resumes or retries it, or changes one of its sinks.
    async fn change_reactor(&mut self, client: &Client, answers: &mut Answers) -> Result<(), String> {
        let target = self.addresses.target(self.random.random_range(0..usize::MAX)).url;
        let either = self.random.random_range(0..2);
        let put = |path: String| client.put(format!("{target}{path}"));
        let post = |verb: &str| client.post(format!("{target}/v1/reactors/{REACTOR}/{verb}"));
        let (operation, request) = match self.random.random_range(0..8) {
            0 => {
                let request = put(format!("/v1/modules/{REACTOR}")).header("content-type", "application/wasm");
                ("deploy the reactor", request.body(self.reactors[either].clone()))
            }
            1 => ("pause the reactor", post("pause")),
            2..5 => ("resume the reactor", post("resume")),
            5 => ("retry the reactor", post("retry")),
            number => {
                let (sink, settings) = &self.sinks[either][number - 6];
                ("change a sink", put(format!("/v1/sinks/{sink}")).json(settings))
            }
        };
        let Some((status, body)) = answer(request.timeout(REQUEST_TIMEOUT)).await else { return Ok(()) };
        let is_fine = match status {
            // It is running, or paused.
            StatusCode::CONFLICT => operation.ends_with("the reactor") && !operation.starts_with("deploy"),
            status => status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE,
        };
        if !is_fine {
            return Err(format!("to {operation} was answered {status}: {body}"));
        }
        *answers.entry((operation, status)).or_default() += 1;
        Ok(())
    }

    fn operation(&mut self, projection: &'static str, found: &Value) -> (&'static str, Method, String) {
        let builds = found["builds"].as_array().into_iter().flatten();
        let builds: Vec<&Value> = builds.filter(|build| build["state"] != "retired").collect();
        let build = builds.get(self.random.random_range(0..builds.len().max(1)));
        let build = build.map_or(0, |build| build["build"].as_u64().unwrap_or_default());
        let other = builds.get(self.random.random_range(0..builds.len().max(1)));
        let other = other.map_or(0, |build| build["build"].as_u64().unwrap_or_default());
        let path = format!("/v1/projections/{projection}");
        if builds.len() > BUILDS {
            return ("retire", Method::DELETE, format!("{path}/builds/{build}"));
        }
        let activate = if self.random.random_bool(0.5) { "auto" } else { "manual" };
        let query = if self.random.random_bool(0.3) { String::new() } else { format!("?build={build}") };
        match self.random.random_range(0..16) {
            0..2 => ("deploy", Method::PUT, format!("/v1/modules/tally?activate={activate}")),
            2..5 => ("activate", Method::POST, format!("{path}/activate{query}")),
            5 => ("rollback", Method::POST, format!("{path}/rollback")),
            6..9 => ("rebuild", Method::POST, format!("{path}/rebuild?activate={activate}")),
            9 => ("pause", Method::POST, format!("{path}/pause{query}")),
            10..12 => ("resume", Method::POST, format!("{path}/resume{query}")),
            12 => ("retry", Method::POST, format!("{path}/retry{query}")),
            13 => ("retire", Method::DELETE, format!("{path}/builds/{build}")),
            _ => ("compare", Method::GET, format!("{path}/compare?left={build}&right={other}")),
        }
    }
}

fn upcasters_of<'a>(projection: &'a Value, build: &Value) -> Option<&'a Value> {
    let mut builds = projection["builds"].as_array()?.iter();
    builds.find(|found| found["build"] == *build).map(|found| &found["upcasters"])
}

async fn answer(request: RequestBuilder) -> Option<(StatusCode, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
