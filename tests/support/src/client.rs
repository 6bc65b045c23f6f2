//! A client of a host, which runs in the test's process or in its own. Tests drive both with the same methods.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Body, Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// An HTTP client.
///
/// # Panics
/// If TLS cannot be set up.
#[must_use]
pub fn client() -> Client {
    // reqwest leaves the choice to the program; only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap_or_else(|error| panic!("no HTTP client: {error}"))
}

/// The lines of a host's log, for the message of a failed test. Clones are handles on the same lines.
#[derive(Clone, Default)]
pub struct HostLog(Arc<Mutex<Vec<String>>>);

impl HostLog {
    /// Adds a line.
    pub fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Whether a line has this text in it.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|line| line.contains(text))
    }
}

impl fmt::Debug for HostLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.0.lock().unwrap_or_else(PoisonError::into_inner)).finish()
    }
}

/// An answer of a host.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header `Gnomon-Position`.
    pub position: Option<u64>,
    /// Its body; a text if it is not JSON.
    pub body: Value,
}

/// A client of one host.
#[derive(Debug)]
pub struct HostClient {
    url: String,
    client: Client,
    log: HostLog,
}

#[allow(clippy::missing_panics_doc, reason = "each panics at what its test does not expect")]
impl HostClient {
    /// A client of the host at a URL. `log` is shown if the host does not answer.
    #[must_use]
    pub fn new(url: String, log: HostLog) -> Self {
        Self { url, client: client(), log }
    }

    /// The same below a path, as the token has it. Without one if it is empty.
    #[must_use]
    pub fn below(&self, path: &str, token: &str) -> Self {
        let mut headers = reqwest::header::HeaderMap::new();
        if !token.is_empty() {
            let value = format!("Bearer {token}").parse().unwrap_or_else(|error| panic!("not a token: {error}"));
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        let client = Client::builder().no_proxy().default_headers(headers).build();
        let client = client.unwrap_or_else(|error| panic!("no HTTP client: {error}"));
        Self { url: format!("{}{path}", self.url), client, log: self.log.clone() }
    }

    /// Whether the host has logged a line with this text in it.
    #[must_use]
    pub fn has_logged(&self, text: &str) -> bool {
        self.log.has(text)
    }

    /// The URL of the host, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request, which must be answered.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        match self.try_send(request).await {
            Ok(answer) => answer,
            Err(error) => panic!("{error:?}; the log of the host: {:#?}", self.log),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The host does not answer.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let status = response.status();
        let position = response.headers().get("gnomon-position").and_then(|text| text.to_str().ok()?.parse().ok());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, position, body })
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Reads a path, which must be answered with 200; returns the body.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.body
    }

    /// Posts nothing to a path.
    pub async fn post(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    /// Sends the body of an append to a stream.
    pub async fn append(&self, stream: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, &format!("/v1/streams/{stream}/events")).json(body)).await
    }

    /// Appends events; returns the position of the last of them.
    pub async fn append_events(&self, stream: &str, events: &Value) -> u64 {
        let answer = self.append(stream, &json!({ "events": events })).await;
        match (answer.status, answer.body["last_position"].as_u64()) {
            (StatusCode::CREATED, Some(position)) => position,
            _ => panic!("{events}: {answer:?}"),
        }
    }

    /// Appends one event; returns its position.
    pub async fn append_one(&self, stream: &str, event_type: &str, data: Value) -> u64 {
        self.append_events(stream, &json!([{"type": event_type, "data": data}])).await
    }

    /// Imports events, one in each line.
    pub async fn import(&self, ndjson: String) -> Answer {
        let request = self.request(Method::POST, "/v1/events").header("content-type", "application/x-ndjson");
        self.send(request.body(ndjson)).await
    }

    /// The position of the newest event.
    pub async fn head(&self) -> u64 {
        let events = self.json("/v1/events?limit=1").await;
        events["head"].as_u64().unwrap_or_else(|| panic!("no head: {events}"))
    }

    /// Uploads a component, with a query such as `?activate=manual`.
    pub async fn upload(&self, name: &str, component: impl Into<Body>, query: &str) -> Answer {
        let request = self.request(Method::PUT, &format!("/v1/modules/{name}{query}"));
        self.send(request.header("content-type", "application/wasm").body(component)).await
    }

    /// Uploads a component, which must succeed; returns the number of its build, or 0 if it has none.
    pub async fn deploy(&self, name: &str, component: Vec<u8>, query: &str) -> u64 {
        let answer = self.upload(name, component, query).await;
        assert!(answer.status.is_success(), "{name}: {answer:?}");
        answer.body["build"].as_u64().unwrap_or_default()
    }

    /// Sets what happens at events that a projection's module cannot handle.
    pub async fn set_on_failure(&self, projection: &str, policy: &str) {
        let request = self.request(Method::PATCH, &format!("/v1/projections/{projection}"));
        let answer = self.send(request.json(&json!({ "on_failure": policy }))).await;
        assert_eq!((answer.status, &answer.body["on_failure"]), (StatusCode::OK, &json!(policy)), "{answer:?}");
    }

    /// A projection as the API has it, or the problem.
    pub async fn projection(&self, name: &str) -> Value {
        self.get(&format!("/v1/projections/{name}")).await.body
    }

    /// A build of a projection as the API has it, also if it is retired; null if it does not list it.
    pub async fn build(&self, name: &str, build: u64) -> Value {
        let projection = self.get(&format!("/v1/projections/{name}?retired=true")).await.body;
        let builds = projection["builds"].as_array().into_iter().flatten();
        builds.into_iter().find(|found| found["build"] == json!(build)).cloned().unwrap_or_default()
    }

    /// A verification of a projection as the API has it; null if it does not list it.
    pub async fn verification(&self, name: &str, verification: u64) -> Value {
        let projection = self.projection(name).await;
        let found = projection["verifications"].as_array().into_iter().flatten();
        found.into_iter().find(|found| found["verification"] == json!(verification)).cloned().unwrap_or_default()
    }

    /// Waits until a build is in a state; returns it.
    pub async fn until_state(&self, name: &str, build: u64, state: &str) -> Value {
        let wait = async {
            loop {
                let found = self.build(name, build).await;
                if found["state"] == state {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(240), wait).await {
            Ok(found) => found,
            Err(_) => panic!("timeout: build {build} of {name} is not {state}: {}", self.projection(name).await),
        }
    }

    /// The rows of a query on a read model that holds the effect of every event up to a position.
    pub async fn rows_at(&self, path: &str, position: u64) -> Vec<Value> {
        let request = self.request(Method::GET, &format!("/v1/read-models/{path}"));
        let request = request.header("gnomon-min-position", position).header("prefer", "wait=60");
        let answer = self.send(request).await;
        match (answer.status, answer.body) {
            (StatusCode::OK, Value::Array(rows)) => rows,
            (status, body) => panic!("{path}: {status} {body}"),
        }
    }
}
