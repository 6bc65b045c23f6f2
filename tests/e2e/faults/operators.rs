//! An operator who deploys, activates, rolls back, rebuilds, pauses, resumes, retries, retires and compares at random.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{addresses::Addresses, expected::Projection};
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
