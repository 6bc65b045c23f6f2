//! Several tenants behind one way in: who is asked, and what who has no right learns.

use std::collections::BTreeMap;

use axum::http::{Method, request::Builder};

use super::{access::method, door::example};
use crate::{
    access::{AccessSettings, Authentication, Grants, NewToken, TokenName},
    http::{
        needs::Needs,
        openapi::{routes, routes_of_tenant},
        tenants::{TenantGate, TenantName, Tenants},
        tests::*,
    },
};

struct TestTenants {
    tenants: Tenants,
    hosts: BTreeMap<&'static str, TestHost>,
    closing: CancellationToken,
    /// Dropped last: the hosts hold connections.
    _databases: Vec<TestDatabase>,
}

fn tokens() -> AccessSettings {
    AccessSettings { authentication: Authentication::Tokens, ..AccessSettings::default() }
}

fn name(name: &str) -> TenantName {
    name.parse().unwrap()
}

impl TestTenants {
    /// The tenants `acme` and `beta` with hosts, and `gamma`, whose Postgres is away.
    async fn start(access: AccessSettings, max_requests: usize) -> Self {
        Self::start_with(access, max_requests, &HttpSettings::default()).await
    }

    async fn start_with(access: AccessSettings, max_requests: usize, http: &HttpSettings) -> Self {
        let closing = CancellationToken::new();
        let (mut hosts, mut databases) = (BTreeMap::new(), Vec::new());
        let mut gates = vec![TenantGate::new(name("gamma"), max_requests)];
        for tenant in ["acme", "beta"] {
            let database = TestDatabase::create().await;
            let settings = ServerSettings { access: access.clone(), max_connections: 6, ..ServerSettings::default() };
            let host = TestHost::start_with(&database, settings).await;
            let gate = TenantGate::new(name(tenant), max_requests);
            gate.gate().open(host.api_of(Some(name(tenant)), http.clone(), closing.clone()));
            gates.push(gate);
            hosts.insert(tenant, host);
            databases.push(database);
        }
        Self { tenants: Tenants::new(gates, http, &access), hosts, closing, _databases: databases }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.tenants.answer(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A token of a tenant, for everything.
    async fn token(&self, tenant: &str) -> String {
        let new = NewToken {
            name: TokenName::new("root".to_owned()).unwrap(),
            grants: Grants::parse(["admin"]).unwrap(),
            lifetime: None,
            created_by: "the test".to_owned(),
        };
        self.hosts[tenant].access.tokens().create(&new).await.unwrap().1.reveal().to_owned()
    }

    /// How many events, modules, tokens and sinks a tenant has.
    async fn contents(&self, tenant: &str) -> (i64, i64, i64, i64) {
        sqlx::query_as(
            "SELECT (SELECT count(*) FROM gnomon.events), (SELECT count(*) FROM gnomon.modules),
                    (SELECT count(*) FROM gnomon.tokens), (SELECT count(*) FROM gnomon.sinks)",
        )
        .fetch_one(&self.hosts[tenant].database.lookups)
        .await
        .unwrap()
    }
}

/// A request to a path with a token, unless that is empty.
fn with_token(method: &str, path: &str, token: &str) -> Builder {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    if token.is_empty() { request } else { request.header(header::AUTHORIZATION, format!("Bearer {token}")) }
}

/// A request to a path of a tenant, by each of the ways to name it.
fn ways(method: &str, tenant: &str, path: &str, token: &str) -> Vec<Request<Body>> {
    let built = |request: Builder| request.body(Body::empty()).unwrap();
    let in_path = with_token(method, &format!("/t/{tenant}{path}"), token);
    let in_header = with_token(method, path, token).header("gnomon-tenant", tenant);
    let mut all = vec![built(in_path), built(in_header)];
    if token.starts_with("gnomon_") {
        all.push(built(with_token(method, path, &format!("{tenant}.{token}"))));
    }
    all
}

fn append(tenant: &str, stream: &str, event_type: &str) -> Request<Body> {
    let body = json!({"events": [{"type": event_type, "data": {"of": tenant}}]});
    let request = Request::post(format!("/t/{tenant}/v1/streams/{stream}/events"));
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
}

/// What a client can tell answers apart by: without what is another one for each request, and with the name of the tenant left out.
fn seen(answer: &Answer, tenant: &str) -> (StatusCode, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "etag");
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())).collect();
    headers.sort();
    headers.retain(|(name, _)| name != "content-length");
    let body = String::from_utf8_lossy(&answer.body).replace(&format!("/t/{tenant}/"), "/t/NAME/");
    (answer.status, headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_does_not_learn_which_tenants_there_are() {
    let origins = vec!["https://app.example".parse().unwrap()];
    let http = HttpSettings { cors_origins: origins, ..HttpSettings::default() };
    let test = TestTenants::start_with(tokens(), 100, &http).await;
    let of_another = test.token("beta").await;
    for operation in routes_of_tenant() {
        for method in [method(&operation).as_str(), "OPTIONS", "PATCH"] {
            let path = example(operation.path);
            for token in ["", "nonsense", "gnomon_nonsense", "e30.e30.AA", of_another.as_str()] {
                let mut seen_of = Vec::new();
                for tenant in ["acme", "nobody"] {
                    let mut answers = Vec::new();
                    for mut request in ways(method, tenant, &path, token) {
                        request.headers_mut().insert("origin", "https://app.example".parse().unwrap());
                        answers.push(seen(&test.send(request).await, tenant));
                    }
                    seen_of.push(answers);
                }
                assert_eq!(seen_of[0], seen_of[1], "{method} {path} with `{token}`");
            }
        }
    }
    // Nor by a path that no route has, and without a token not of one whose Postgres is away either.
    for path in ["/v1/nothing", "/v1/streams/", "/health/ready/", "/v1/events", "/metrics"] {
        let mut seen_of = Vec::new();
        for tenant in ["acme", "nobody", "gamma"] {
            seen_of.push(seen(&test.get(&format!("/t/{tenant}{path}")).await, tenant));
        }
        assert!(seen_of.iter().all(|seen| *seen == seen_of[0]), "{path}: {seen_of:?}");
    }
    // Even where there are as many tenants as requests: nothing of this was one of `acme`.
    let preflight =
        Request::builder().method("OPTIONS").uri("/t/acme/v1/events").header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "GET").body(Body::empty()).unwrap();
    assert_eq!(test.send(preflight).await.header("access-control-allow-origin"), "https://app.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_tenant_opens_nothing_of_another_one_on_any_route() {
    let test = TestTenants::start(tokens(), 100).await;
    let (acme, beta) = (test.token("acme").await, test.token("beta").await);
    let before = test.contents("beta").await;
    for operation in routes_of_tenant() {
        if matches!(operation.needs, Needs::Nothing) {
            continue;
        }
        let (method, path) = (method(&operation), example(operation.path));
        for request in ways(&method, "beta", &path, &acme) {
            let at = format!("{method} {}", request.uri());
            let answer = test.send(request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{at}: {}", answer.text());
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{at}");
        }
        // With a tenant's own token the same request is not refused.
        for request in ways(&method, "beta", &path, &beta) {
            let at = format!("{method} {}", request.uri());
            let answer = test.send(request).await;
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{at}: {}", answer.text());
        }
    }
    assert_eq!(test.contents("beta").await, before);
    // Both names in one request are refused before anybody is asked.
    let both = with_token("GET", "/t/acme/v1/events", &acme).header("gnomon-tenant", "beta");
    let problem = test.send(both.body(Body::empty()).unwrap()).await.problem();
    assert!(problem.starts_with("400 tenant_ambiguous: the path names the tenant `acme`"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_a_log_of_its_own_whichever_way_it_is_named() {
    let test = TestTenants::start(AccessSettings::default(), 100).await;
    for (tenant, event_type) in [("acme", "A"), ("beta", "B"), ("beta", "B")] {
        assert_eq!(test.send(append(tenant, "account-1", event_type)).await.status, StatusCode::CREATED);
    }
    for (tenant, types) in [("acme", vec!["A"]), ("beta", vec!["B", "B"])] {
        for request in ways("GET", tenant, "/v1/streams/account-1/events", "") {
            let found = test.send(request).await.json();
            let found: Vec<&str> =
                found["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
            assert_eq!(found, types, "{tenant}");
        }
    }
    // What an answer names is below the tenant's path, behind that of a proxy.
    let index = test.get("/t/acme").await.json();
    assert_eq!(index["events"], "/t/acme/v1/events");
    let request = Request::get("/sub/t/beta/").header("x-forwarded-prefix", "/sub").body(Body::empty()).unwrap();
    assert_eq!(test.send(request).await.json()["streams"], "/sub/t/beta/v1/streams");
    let missing = test.get("/t/acme/v1/streams/none-1/events?limit=0").await.json();
    assert!(missing["type"].as_str().unwrap().starts_with("/t/acme/errors/"), "{missing}");
    assert_eq!(test.get(missing["type"].as_str().unwrap()).await.status, StatusCode::OK);
    let description = test.get("/t/acme/openapi.json").await.json();
    assert_eq!(description["servers"][0]["url"], "/t/acme/");
    // What is not below any tenant.
    let problem = test.get("/v1/events").await.problem();
    assert!(
        problem.starts_with("400 tenant_missing: ") && problem.contains("ask for /t/{tenant}/v1/events"),
        "{problem}"
    );
    let problem = test.get("/t/nobody/v1/events").await.problem();
    assert_eq!(problem, "404 tenant_not_found: this host has no tenant `nobody`");
    for path in ["/t/ac%6De/v1/events", "/t//acme/v1/events", "/t/ACME/v1/events", "/t/%2e%2e/acme/v1/events"] {
        assert!(test.get(path).await.problem().starts_with("404 tenant_not_found"), "{path}");
    }
    // Slashes are put straight behind the tenant, as they are in a host that has one log.
    assert_eq!(test.get("/t/acme//v1/events").await.json()["events"][0]["data"]["of"], "acme");
    for path in ["/t/acme/../beta/v1/events", "/t/acme/t/beta/v1/events"] {
        assert!(test.get(path).await.problem().starts_with("404 not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_tenant_take_no_place_of_another_one() {
    let test = TestTenants::start(AccessSettings::default(), 3).await;
    let follow =
        || Request::get("/t/acme/v1/events").header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let mut held = Vec::new();
    for _ in 0..3 {
        let response = test.tenants.answer(follow()).await;
        assert_eq!(response.status(), StatusCode::OK);
        held.push(response);
    }
    let refused = test.send(follow()).await;
    assert_eq!(refused.json()["limit"], "max_requests");
    let problem = test.get("/t/acme/v1/events").await.problem();
    assert!(problem.starts_with("503 overloaded: the tenant has 3 requests under way"), "{problem}");
    for number in 0..10 {
        assert_eq!(test.send(append("beta", &format!("a-{number}"), "T")).await.status, StatusCode::CREATED);
        assert_eq!(test.get("/t/beta/v1/events").await.status, StatusCode::OK);
    }
    // A place is free when an answer ends, also where its client leaves.
    held.pop();
    assert_eq!(test.get("/t/acme/v1/events").await.status, StatusCode::OK);
    test.closing.cancel();
    for response in held {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    }
    assert_eq!(test.send(append("acme", "a-1", "T")).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_its_postgres_is_told_so_and_the_host_is_ready_for_the_others() {
    let test = TestTenants::start(AccessSettings::default(), 3).await;
    let away = test.get("/t/gamma/v1/events").await.problem();
    assert!(away.starts_with("503 starting: the host is starting: it has just begun"), "{away}");
    let ready = test.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.json(), json!({"status": "ready", "tenants": 3, "ready": 2, "not_ready": ["gamma"]}));
    assert_eq!(test.get("/t/acme/health/ready").await.status, StatusCode::OK);
    assert_eq!(test.get("/health/live").await.json(), json!({"status": "live"}));
    assert_eq!(test.get("/").await.json()["tenant"], "/t/{tenant}/");

    let nobody =
        Tenants::new([TenantGate::new(name("gamma"), 1)], &HttpSettings::default(), &AccessSettings::default());
    let asked = Request::get("/health/ready").body(Body::empty()).unwrap();
    assert_eq!(nobody.answer(asked).await.status(), StatusCode::SERVICE_UNAVAILABLE);

    let guarded = TestTenants::start(tokens(), 3).await;
    let ready = guarded.get("/health/ready").await.json();
    assert_eq!(ready, json!({"status": "ready", "tenants": 3, "ready": 2}), "names of tenants are not for everybody");
    let token = guarded.token("acme").await;
    let request = with_token("GET", "/t/acme/health/ready", &token).body(Body::empty()).unwrap();
    assert_eq!(guarded.send(request).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_of_all_are_for_nobody_who_has_a_token_and_those_of_one_are_its_own() {
    let test = TestTenants::start(tokens(), 3).await;
    let token = test.token("acme").await;
    let send = async |path: &str| {
        let mut request = with_token("POST", "/t/acme/v1/streams/secret-1/events", &token);
        request = request.method(Method::GET).uri(path);
        test.send(request.body(Body::empty()).unwrap()).await
    };
    let refused = send("/metrics").await.problem();
    assert!(refused.starts_with("403 forbidden: these are the measures of all tenants"), "{refused}");
    let own = send("/t/acme/metrics").await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(own.text().contains("\ngnomon_head_position ") && own.text().contains("gnomon_postgres_connections{"));
    // What is counted is counted of all: it has types of events, modules and routes of others in it.
    for counted in ["event_store_events_total", "gnomon_http_requests_total", "process_resident_memory_bytes", "beta"] {
        assert!(!own.text().contains(counted), "{counted}");
    }

    let open = AccessSettings { open_metrics: true, ..tokens() };
    let test = TestTenants::start(open, 3).await;
    let all = test.get("/metrics").await;
    assert_eq!(all.status, StatusCode::OK);
    for line in [
        "gnomon_tenant_ready{tenant=\"acme\"} 1",
        "gnomon_tenant_ready{tenant=\"gamma\"} 0",
        "gnomon_tenant_max_requests_under_way{tenant=\"beta\"} 3",
        "gnomon_tenant_requests_total{tenant=\"acme\"}",
        "event_store_events_total",
    ] {
        assert!(all.text().contains(line), "{line}: {}", all.text());
    }
    assert_eq!(routes().len(), routes_of_tenant().len());
}
