//! A host as a process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::until;

/// The program, ready to be given arguments.
pub(crate) fn gnomon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GNOMON_") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}

/// An HTTP client.
pub(crate) fn client() -> Client {
    // reqwest leaves the choice to the program; only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A running host. It is killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    url: String,
    client: Client,
    /// The lines of its log, for the message of a failed test.
    log: Arc<Mutex<Vec<String>>>,
    /// Its data folder, which restarts keep, with the compiled modules in it.
    folder: Arc<TempDir>,
    database: String,
    arguments: Vec<String>,
}

/// An answer of a host.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) position: Option<u64>,
    pub(crate) body: Value,
}

impl Host {
    /// Starts a host on a database.
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// Starts a host with further arguments.
    pub(crate) async fn start_with(database: &TestDatabase, arguments: &[&str]) -> Self {
        Self::start_on(&database.url(), arguments).await
    }

    /// Starts a host on the database of a URL, with further arguments.
    pub(crate) async fn start_on(database: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::launch(database.to_owned(), folder, arguments).await
    }

    /// Starts a further host beside this one, on the same database.
    pub(crate) async fn beside(&self) -> Self {
        Self::launch(self.database.clone(), Arc::clone(&self.folder), self.arguments.clone()).await
    }

    async fn launch(database: String, folder: Arc<TempDir>, arguments: Vec<String>) -> Self {
        let mut child = gnomon()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
            .arg(folder.path())
            .args(&arguments)
            .env("DATABASE_URL", &database)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (tell, address) = mpsc::channel();
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "listening" {
                    let _ = tell.send(entry["address"].as_str().unwrap_or_default().to_owned());
                }
                kept.lock().unwrap().push(line);
            }
        });
        let address = tokio::task::spawn_blocking(move || address.recv()).await.unwrap();
        let Ok(address) = address else { panic!("the host did not start: {:#?}", log.lock().unwrap()) };
        let client = client();
        Self { child, url: format!("http://{address}"), client, log, folder, database, arguments }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// Kills the host.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`Host::kill`], with the same data folder.
    pub(crate) async fn restart(&mut self) {
        *self = self.beside().await;
    }

    /// Stops it with SIGTERM, as operators do; returns whether it exited with 0.
    pub(crate) async fn stop(mut self) -> bool {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        status.success()
    }

    /// Runs a command of the program against the host.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = gnomon();
        command.args(arguments).env("GNOMON_URL", &self.url).stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub(crate) async fn append(&self, stream: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, &format!("/v1/streams/{stream}/events")).json(body)).await
    }

    /// Appends one event; returns its position.
    pub(crate) async fn append_one(&self, stream: &str, event_type: &str, data: Value) -> u64 {
        let answer = self.append(stream, &json!({"events": [{"type": event_type, "data": data}]})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body["last_position"].as_u64().unwrap()
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        match self.try_send(request).await {
            Ok(answer) => answer,
            Err(error) => panic!("{error:?}; the log of the host: {:#?}", self.log.lock().unwrap()),
        }
    }

    pub(crate) async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let status = response.status();
        let position = response.headers().get("gnomon-position").and_then(|text| text.to_str().ok()?.parse().ok());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, position, body })
    }

    /// Uploads a component; returns the answer.
    pub(crate) async fn upload(&self, name: &str, component: Vec<u8>, query: &str) -> Answer {
        let request = self.request(Method::PUT, &format!("/v1/modules/{name}{query}"));
        self.send(request.header("content-type", "application/wasm").body(component)).await
    }

    /// Uploads a component, which must succeed; returns the number of its build.
    pub(crate) async fn deploy(&self, name: &str, component: Vec<u8>, query: &str) -> u64 {
        let answer = self.upload(name, component, query).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.body["build"].as_u64().unwrap_or_default()
    }

    pub(crate) async fn import(&self, ndjson: String) -> Answer {
        let request = self.request(Method::POST, "/v1/events").header("content-type", "application/x-ndjson");
        self.send(request.body(ndjson)).await
    }

    pub(crate) async fn projection(&self, name: &str) -> Value {
        self.get(&format!("/v1/projections/{name}")).await.body
    }

    /// A build of a projection as the API has it; null if it does not list it.
    pub(crate) async fn build(&self, name: &str, build: u64) -> Value {
        let projection = self.projection(name).await;
        let builds = projection["builds"].as_array().into_iter().flatten();
        builds.into_iter().find(|found| found["build"] == json!(build)).cloned().unwrap_or_default()
    }

    /// Waits until a build is in a state.
    pub(crate) async fn until_state(&self, name: &str, build: u64, state: &str) {
        until(&format!("build {build} of {name} is {state}"), async || self.build(name, build).await["state"] == state)
            .await;
    }

    /// The rows of a query on a read model that holds the effect of every event up to a position.
    pub(crate) async fn rows_at(&self, path: &str, position: u64) -> Vec<Value> {
        let request = self.request(Method::GET, &format!("/v1/read-models/{path}"));
        let request = request.header("gnomon-min-position", position).header("prefer", "wait=60");
        let answer = self.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body.as_array().unwrap().clone()
    }

    /// The position of the newest event.
    pub(crate) async fn head(&self) -> u64 {
        self.get("/v1/events?limit=1").await.body["head"].as_u64().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
