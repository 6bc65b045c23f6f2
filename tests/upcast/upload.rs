//! Uploads an upcaster to a running host.

use gnomon::{
    postgres::test_database::TestDatabase,
    server::{Server, ServerSettings},
};
use serde_json::{Value, json};

use test_support::{component, upcaster};

struct Host {
    server: Server,
    client: reqwest::Client,
    _database: TestDatabase,
}

impl Host {
    async fn start() -> Self {
        // Fails if another test has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let settings =
            ServerSettings { listen: ([127, 0, 0, 1], 0).into(), max_connections: 10, ..ServerSettings::default() };
        let server = Server::start(database.connect_options(), settings).await.unwrap();
        Self { server, client: reqwest::Client::new(), _database: database }
    }

    async fn put(&self, name: &str, component: Vec<u8>) -> (u16, Value) {
        let request = self.client.put(self.url(&format!("/v1/modules/{name}")));
        read(request.header("content-type", "application/wasm").body(component)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.client.get(self.url(path))).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upcaster_is_a_module_without_builds() {
    let host = Host::start().await;
    let flights = component("flight-arrivals");
    let (status, first) = host.put("flight_arrivals", flights.clone()).await;
    let steps = json!([{ "type": "FlightArrived", "from": 1, "to": 2, "produces": ["FlightArrived"] }]);
    let sdk = json!({ "name": "gnomon-sdk", "version": env!("CARGO_PKG_VERSION"), "language": "Rust" });
    let expected = json!({
        "name": "flight_arrivals", "version": 1, "digest": first["digest"], "kind": "upcaster",
        "descriptor": { "kind": "upcaster", "sdk": sdk, "steps": steps }, "builds": [],
    });
    assert_eq!((status, &first), (201, &expected));
    assert_eq!(host.put("flight_arrivals", flights.clone()).await, (200, expected), "the same bytes, the same version");

    let (_, next) = host.put("flight_arrivals", upcaster("does_as_told")).await;
    assert_eq!((&next["version"], &next["kind"]), (&json!(2), &json!("upcaster")));
    let (_, listed) = host.get("/v1/modules/flight_arrivals").await;
    assert_eq!((&listed["kind"], &listed["latest_version"]), (&json!("upcaster"), &json!(2)));
    let (_, version) = host.get("/v1/modules/flight_arrivals/versions/1").await;
    assert_eq!(version["descriptor"]["sdk"], sdk);
    assert_eq!((&version["descriptor"]["steps"], &version["bytes"]), (&steps, &json!(flights.len())));
    assert_eq!(host.get("/v1/projections").await, (200, json!({ "projections": [] })));

    let (status, problem) = host.put("flight_arrivals", component("flights")).await;
    assert_eq!((status, &problem["code"]), (409, &json!("module_kind_changed")));
    assert_eq!(
        problem["detail"],
        json!("`flight_arrivals` is an upcaster, and this is a projection; upload it under another name")
    );
    let (status, problem) = host.put("other", upcaster("gap")).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_module")));
    assert_eq!(problem["reasons"].as_array().unwrap().len(), 5, "{problem}");
    assert_eq!(host.get("/v1/modules/other").await.0, 404);
    host.server.stop().await;
}
