//! A real host in the process of a test, on a database of its own, spoken to over HTTP.
//!
//! The database comes from the host's own `TestDatabase`, which is public for just this and hidden from the documentation:
//! it is an empty database on the server that `DATABASE_URL` names, or on a private one that all tests of the process share.
//! A private server for each test would need nothing of the host that is not meant for everyone, and would cost each test
//! seconds.

use std::time::Duration;

use gnomon::{
    postgres::test_database::TestDatabase,
    server::{Server, ServerSettings},
};
use serde_json::{Value, json};

/// A running host. Tests that use it need a runtime of several threads.
pub(crate) struct TestHost {
    server: Server,
    client: reqwest::Client,
    /// Dropped last: the host holds connections.
    database: TestDatabase,
}

impl TestHost {
    /// Starts a host at a port of its own.
    pub(crate) async fn start(settings: ServerSettings) -> Self {
        // There may be one already, of another test.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let settings = ServerSettings { listen: ([127, 0, 0, 1], 0).into(), max_connections: 10, ..settings };
        let server = Server::start(database.connect_options(), settings).await.unwrap();
        Self { server, client: reqwest::Client::new(), database }
    }

    /// Where it listens, with a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Uploads a component; answers status and body.
    pub(crate) async fn upload(&self, name: &str, component: impl Into<reqwest::Body>) -> (u16, Value) {
        let request = self.client.put(self.url(&format!("/v1/modules/{name}")));
        read(request.header("content-type", "application/wasm").body(component)).await
    }

    /// Appends events by type and data to a stream; answers the position of the last of them.
    pub(crate) async fn append(&self, stream: &str, events: &[(&str, Value)]) -> u64 {
        let events: Value = events.iter().map(|(name, data)| json!({"type": name, "data": data})).collect();
        self.append_events(stream, &events).await
    }

    /// Appends events as they are given to a stream; answers the position of the last of them.
    pub(crate) async fn append_events(&self, stream: &str, events: &Value) -> u64 {
        let request = self.client.post(self.url(&format!("/v1/streams/{stream}/events")));
        let (status, body) = read(request.json(&json!({"events": events}))).await;
        assert_eq!(status, 201, "{events}: {body}");
        body["last_position"].as_u64().unwrap()
    }

    /// Changes what is done at failures of a projection.
    pub(crate) async fn configure(&self, projection: &str, settings: &Value) {
        let request = self.client.patch(self.url(&format!("/v1/projections/{projection}"))).json(settings);
        let (status, body) = read(request).await;
        assert_eq!(status, 200, "{body}");
    }

    /// What stands at a path, or the problem; with the status.
    pub(crate) async fn try_get(&self, path: &str) -> (u16, Value) {
        read(self.client.get(self.url(path))).await
    }

    /// What stands at a path; panics if it cannot be had.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = read(self.client.get(self.url(path))).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The rows of a read model, as soon as they hold the effect of the event at a position.
    pub(crate) async fn rows(&self, path: &str, position: u64) -> Value {
        let request = self.client.get(self.url(&format!("/v1/read-models/{path}")));
        let request = request.header("gnomon-min-position", position).header("prefer", "wait=60");
        let (status, body) = read(request).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The newest build of a projection, as soon as it is in a state.
    pub(crate) async fn build(&self, projection: &str, state: &str) -> Value {
        let wait = async {
            loop {
                let projection = self.get(&format!("/v1/projections/{projection}")).await;
                let builds = projection["builds"].as_array().unwrap();
                let newest = builds.iter().max_by_key(|build| build["build"].as_i64()).unwrap();
                if newest["state"] == state {
                    return newest.clone();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(120), wait).await {
            Ok(build) => build,
            Err(_) => panic!("not {state}: {}", self.get(&format!("/v1/projections/{projection}")).await),
        }
    }

    /// Stops it, and drops its database.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        drop(self.database);
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
