//! Who may do what: each route of the router with no token, with a wrong one and with a right one.

use std::collections::BTreeSet;

use super::*;
use crate::{
    access::{AccessSettings, Authentication, Grants, NewToken, Scope, TokenName},
    http::{
        needs::{Needs, On},
        openapi::{Operation, routes},
        tests::door::example,
    },
};

impl TestApi {
    /// A host that asks everybody who they are.
    pub(super) async fn guarded(access: AccessSettings) -> Self {
        let database = TestDatabase::create().await;
        let access = AccessSettings { authentication: Authentication::Tokens, ..access };
        let settings = ServerSettings { access, ..ServerSettings::default() };
        let host = TestHost::start_with(&database, settings).await;
        Self { _database: Some(database), ..Self::of(host, HttpSettings::default()) }
    }

    /// A new token that has these scopes.
    pub(super) async fn token(&self, scopes: &[&str]) -> String {
        let count = self.host.access.tokens().list(true).await.unwrap().len();
        let new = NewToken {
            name: TokenName::new(format!("t{count}")).unwrap(),
            grants: Grants::parse(scopes.iter().copied()).unwrap(),
            lifetime: None,
            created_by: "the test".to_owned(),
        };
        self.host.access.tokens().create(&new).await.unwrap().1.reveal().to_owned()
    }

    async fn with_token(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        self.send(with_token(method, path, token).body(Body::from(body.to_owned())).unwrap()).await
    }
}

fn with_token(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    if token.is_empty() { request } else { request.header(header::AUTHORIZATION, format!("Bearer {token}")) }
}

pub(super) fn method(operation: &Operation) -> String {
    operation.method.to_ascii_uppercase()
}

fn is_refused(answer: &Answer) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_there_is_only_what_is_for_everybody() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let mut open = BTreeSet::new();
    for operation in routes() {
        let (method, path) = (method(&operation), example(operation.path));
        for token in ["", "nonsense", "gnomon_nonsense"] {
            let answer = api.with_token(&method, &path, token, "").await;
            match operation.needs {
                Needs::Nothing => assert!(!is_refused(&answer), "{method} {path}: {}", answer.status),
                Needs::NothingYet if token.is_empty() => assert_eq!(answer.status, StatusCode::OK),
                _ => {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {token}");
                    let challenge = answer.header("www-authenticate");
                    assert!(challenge.starts_with("Bearer realm=\"gnomon\""), "{challenge}");
                    assert_eq!(challenge.contains("error=\"invalid_token\""), !token.is_empty(), "{challenge}");
                    assert!(token.is_empty() || !answer.text().contains(token), "{}", answer.text());
                }
            }
        }
        if operation.needs == Needs::Nothing {
            open.insert(operation.path);
        }
    }
    let expected =
        ["/", "/docs", "/docs/licence", "/docs/rapidoc.js", "/errors/{code}", "/health/live", "/health/ready"];
    assert_eq!(open, BTreeSet::from(expected));
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_is_for_the_scopes_that_it_names_and_for_admin() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    for held in Scope::ALL {
        let token = api.token(&[held.as_str()]).await;
        for operation in routes() {
            let (method, path) = (method(&operation), example(operation.path));
            let needed = operation.needs.scopes();
            let may = needed.is_empty() || held == Scope::Admin || needed.contains(&held);
            let answer = api.with_token(&method, &path, &token, "").await;
            assert_eq!(is_refused(&answer), !may, "{method} {path} with {held}: {} {}", answer.status, answer.text());
            if !may {
                let challenge = answer.header("www-authenticate");
                assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_are_limited_to_names_are_for_those_names() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    for held in Scope::ALL.into_iter().filter(|scope| scope.limited_to().is_some()) {
        let fitting = api.token(&[&format!("{held}=nob*,x")]).await;
        let other = api.token(&[&format!("{held}=x")]).await;
        for operation in routes() {
            let Needs::One(needed, on) = operation.needs else { continue };
            if !needed.contains(&held) {
                continue;
            }
            let (method, path) = (method(&operation), example(operation.path));
            let (fits, does_not) =
                (api.with_token(&method, &path, &fitting, "").await, api.with_token(&method, &path, &other, "").await);
            let at = format!("{method} {path} with {held}: {} {}", fits.text(), does_not.text());
            match on {
                On::Host => assert!(is_refused(&fits) && is_refused(&does_not), "{at}"),
                On::Category | On::Part(_) => {
                    assert!(!is_refused(&fits) && is_refused(&does_not), "{at}");
                    let code = if path.starts_with("/v1/read-models") { "42501" } else { "forbidden" };
                    assert!(does_not.problem().starts_with(&format!("403 {code}: this needs the scope")), "{at}");
                    assert_eq!(does_not.json()["name"], json!("nobody"), "{at}");
                }
                // Each of them has a test of its own.
                On::Each(_) => {}
            }
        }
    }
    // Escaped, the names are the same.
    let token = api.token(&["append=a"]).await;
    for (stream, may) in
        [("a-1", true), ("%61-1", true), ("a", true), ("b-1", false), ("%2D1", false), ("a%2F-1", false)]
    {
        let path = format!("/v1/streams/{stream}/events");
        let answer = api.with_token("POST", &path, &token, r#"{"events": [{"type": "T", "data": 1}]}"#).await;
        assert_eq!(answer.status == StatusCode::CREATED, may, "{stream}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_whose_handlers_check_names_are_these() {
    let each = routes().into_iter().filter(|operation| matches!(operation.needs, Needs::One(_, On::Each(_))));
    let each: BTreeSet<_> = each.map(|operation| format!("{} {}", operation.method, operation.path)).collect();
    // Whoever adds one adds a test of it below.
    let tested = [
        "get /v1/events",
        "get /v1/modules",
        "get /v1/projections",
        "get /v1/reactors",
        "get /v1/read-models",
        "get /v1/streams",
        "get /v1/upcasters",
        "post /v1/deployments",
        "post /v1/events",
    ];
    assert_eq!(each, tested.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_go_to_the_categories_of_their_token_only() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let token = api.token(&["append=a,order*"]).await;
    let send = async |token: &str, body: Value| api.with_token("POST", "/v1/events", token, &body.to_string()).await;
    let to = |stream: &str| json!({"stream": stream, "events": [event("T")]});
    let both = send(&token, json!({"appends": [to("a-1"), to("b-1")]})).await;
    let problem = both.problem();
    assert!(
        problem.contains("this needs the scope `append` for the category `b`; the token `t0` has append=a,order*"),
        "{problem}"
    );
    assert!(api.is_empty().await, "neither is appended");
    // A stream that a tag names.
    let tagged = json!({"appends": [{"events": [{"type": "T", "tags": ["b:1"], "data": 1}]}]});
    assert_eq!(send(&token, tagged).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&token, json!({"appends": [to("a-1"), to("orders-1")]})).await.status, StatusCode::CREATED);

    let import = async |lines: &str| {
        let request = with_token("POST", "/v1/events", &token).header(header::CONTENT_TYPE, "application/x-ndjson");
        let mut request = request.body(Body::from(lines.to_owned())).unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, "application/x-ndjson".parse().unwrap());
        api.send(request).await
    };
    let refused =
        import("{\"stream\":\"a-2\",\"type\":\"T\",\"data\":1}\n{\"stream\":\"b-2\",\"type\":\"T\",\"data\":1}\n")
            .await;
    assert_eq!((refused.status, &refused.json()["line"]), (StatusCode::FORBIDDEN, &json!(2)));
    assert_eq!(import("{\"stream\":\"a-2\",\"type\":\"T\",\"data\":1}\n").await.status, StatusCode::CREATED);

    // A condition would tell what other categories have.
    let condition = json!({"fail_if_events_match": {"items": [{"types": ["T"]}]}, "after": 9});
    let guarded = |stream: &str| json!({"appends": [to(stream)], "condition": condition});
    let refused = send(&token, guarded("a-3")).await.problem();
    assert!(refused.contains("`append` or `read:events` without a limit to names"), "{refused}");
    let one = json!({"events": [event("T")], "condition": condition}).to_string();
    assert_eq!(api.with_token("POST", "/v1/streams/a-3/events", &token, &one).await.status, StatusCode::FORBIDDEN);
    for scopes in [&["append"][..], &["append=a", "read:events"]] {
        let token = api.token(scopes).await;
        assert!(!is_refused(&send(&token, guarded("a-3")).await), "{scopes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_by_the_categories_that_a_token_is_for() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let (all, some) = (api.token(&["append", "read:events"]).await, api.token(&["read:events=a,c*"]).await);
    for stream in ["a-1", "b-1", "cart-1"] {
        let path = format!("/v1/streams/{stream}/events");
        let body = r#"{"events": [{"type": "T", "data": 1}]}"#;
        assert_eq!(api.with_token("POST", &path, &all, body).await.status, StatusCode::CREATED);
    }
    for path in ["/v1/events", "/v1/streams"] {
        let read = async |token: &str, query: &str| api.with_token("GET", &format!("{path}{query}"), token, "").await;
        assert_eq!(read(&all, "").await.status, StatusCode::OK);
        let problem = read(&some, "").await.problem();
        assert!(problem.contains("name the categories that it may read: `?category=a,b`"), "{problem}");
        assert_eq!(read(&some, "?category=a,b").await.json()["name"], json!("b"));
        let found = read(&some, "?category=a,cart").await;
        assert_eq!(found.status, StatusCode::OK);
        assert!(!found.text().contains("b-1") && found.text().contains("cart-1"), "{}", found.text());
    }
    let follow = async |query: &str| {
        let request = with_token("GET", &format!("/v1/events{query}"), &some).header("accept", "text/event-stream");
        api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    assert_eq!(follow("").await, StatusCode::FORBIDDEN);
    assert_eq!(follow("?category=a,b").await, StatusCode::FORBIDDEN);
    assert_eq!(follow("?category=a").await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_a_token_is_for() {
    let database = TestDatabase::create().await;
    let access = AccessSettings { authentication: Authentication::Tokens, ..AccessSettings::default() };
    let host = TestHost::start_with(&database, ServerSettings { access, ..ServerSettings::default() }).await;
    let api = TestApi { _database: Some(database), ..TestApi::of(host, HttpSettings::default()) };
    let admin = api.token(&["admin"]).await;
    let upload = async |name: &str, module: &str| {
        let request = with_token("PUT", &format!("/v1/modules/{name}"), &admin);
        let mut request = request.body(Body::from(test_support::component(module))).unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, "application/wasm".parse().unwrap());
        let answer = api.send(request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    };
    for (name, module) in [
        ("bank_a", "bank"),
        ("bank_b", "bank"),
        ("moves_a", "settlement"),
        ("moves_b", "settlement"),
        ("flights_v2", "flight-arrivals"),
    ] {
        upload(name, module).await;
    }
    let list = async |path: &str, scope: &str| {
        let token = api.token(&[scope]).await;
        let answer = api.with_token("GET", path, &token, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        ["bank_a", "bank_b", "moves_a", "moves_b", "flights_v2"]
            .into_iter()
            .filter(|name| answer.text().contains(&format!("\"{name}\"")))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (path, scope, seen) in [
        ("/v1/modules", "deploy", "bank_a bank_b moves_a moves_b flights_v2"),
        ("/v1/modules", "deploy=*_a", "bank_a moves_a"),
        ("/v1/projections", "operate=*_b", "bank_b"),
        ("/v1/projections", "deploy=bank_a", "bank_a"),
        ("/v1/reactors", "operate=*_b", "moves_b"),
        ("/v1/upcasters", "operate=bank*", ""),
        ("/v1/upcasters", "operate=f*", "flights_v2"),
        ("/v1/read-models", "read:models=*_a", "bank_a"),
        ("/v1/read-models", "read:models", "bank_a bank_b"),
    ] {
        assert_eq!(list(path, scope).await, seen, "{path} with {scope}");
    }
    let follower = api.token(&["operate=bank_b"]).await;
    let request = with_token("GET", "/v1/projections", &follower).header("accept", "text/event-stream");
    let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (mut body, mut told) = (response.into_body().into_data_stream(), String::new());
    while !told.contains("bank_b") {
        told.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(!told.contains("bank_a"), "{told}");

    let deployer = api.token(&["deploy=bank_a"]).await;
    let deploy = async |name: &str| {
        let body = json!({"modules": [{"name": name, "version": 1}], "activate": "manual"}).to_string();
        api.with_token("POST", "/v1/deployments", &deployer, &body).await.status
    };
    assert_eq!(deploy("bank_b").await, StatusCode::FORBIDDEN);
    assert_eq!(deploy("bank_a").await, StatusCode::OK);

    // The description has the tables of those who may read them.
    let described = async |token: &str| {
        let answer = api.with_token("GET", "/openapi.json", token, "").await;
        (answer.text().contains("/v1/read-models/bank_a/"), answer.text().contains("/v1/read-models/bank_b/"))
    };
    let reader = api.token(&["read:models=bank_a"]).await;
    test_support::until("both are active", async || described(&admin).await == (true, true)).await;
    assert_eq!(described(&reader).await, (true, false));
    assert_eq!(described("").await, (false, false));

    // Who did what is in the history.
    api.with_token("POST", "/v1/projections/bank_a/pause", &admin, "").await;
    let history = api.with_token("GET", "/v1/projections/bank_a/history", &admin, "").await.json();
    let paused = &history["history"][0];
    assert_eq!((&paused["change"], &paused["actor"]), (&json!("paused"), &json!("token t0")), "{history}");
    assert!(paused["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{history}");
    let caught_up = history["history"].as_array().unwrap().iter().find(|entry| entry["change"] == "caught_up");
    assert!(caught_up.is_some_and(|entry| entry.get("actor").is_none()), "the host did that by itself: {history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_read_models_refusals_are_those_of_postgrest() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let ask = async |token: &str| api.with_token("GET", "/v1/read-models/bank/accounts", token, "").await;
    let (missing, wrong) = (ask("").await, ask("nonsense").await);
    assert!(missing.problem().starts_with("401 PGRST302: the request has no token"), "{}", missing.problem());
    assert!(wrong.problem().starts_with("401 PGRST301: the token is not one"), "{}", wrong.problem());
    assert_eq!(wrong.json()["message"], wrong.json()["detail"]);
    assert_eq!(wrong.header("proxy-status"), "PostgREST; error=PGRST301");
    let other = api.token(&["read:models=shop"]).await;
    assert!(ask(&other).await.problem().starts_with("403 42501: this needs the scope `read:models`"));
    for method in ["HEAD", "OPTIONS"] {
        let answer = api.with_token(method, "/v1/read-models/bank/accounts", &other, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_describes_is_for_nobody() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let token = api.token(&["append", "read:events", "read:models", "deploy", "operate"]).await;
    assert_eq!(api.with_token("DELETE", "/v1/events", &token, "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(api.with_token("DELETE", "/v1/events", "", "").await.status, StatusCode::UNAUTHORIZED);
    let admin = api.token(&["admin"]).await;
    assert_eq!(api.with_token("DELETE", "/v1/events", &admin, "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(api.with_token("GET", "/v1/nothing", "", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_listed_and_revoked_by_admins_and_told_once() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let admin = api.token(&["admin"]).await;
    let wanted = json!({"name": "shop", "scopes": ["append=order"], "expires_in_seconds": 3600});
    let made = api.with_token("POST", "/v1/tokens", &admin, &wanted.to_string()).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let made = made.json();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!((&made["name"], &made["created_by"]), (&json!("shop"), &json!("token t0")));
    let again = api.with_token("POST", "/v1/tokens", &admin, &wanted.to_string()).await.problem();
    assert!(again.starts_with("409 token_name_taken: there is a token `shop`"), "{again}");

    let whoami = api.with_token("GET", "/v1/whoami", secret, "").await.json();
    assert_eq!((&whoami["who"], &whoami["scopes"]), (&json!("token shop"), &json!(["append=order"])));
    assert!(whoami["expires_in_seconds"].as_u64().is_some_and(|left| left <= 3600), "{whoami}");
    let listed = api.with_token("GET", "/v1/tokens", &admin, "").await;
    assert!(listed.text().contains("shop") && !listed.text().contains(secret), "{}", listed.text());

    assert_eq!(api.with_token("DELETE", "/v1/tokens/shop", &admin, "").await.status, StatusCode::NO_CONTENT);
    let unknown = api.with_token("DELETE", "/v1/tokens/shop", &admin, "").await.problem();
    assert!(unknown.starts_with("404 token_not_found: there is no token `shop`"), "{unknown}");
    let revoked = api.with_token("GET", "/v1/tokens?revoked=true", &admin, "").await.json();
    assert_eq!(revoked["tokens"][0]["revoked_by"], json!("token t0"), "{revoked}");

    for (body, problem) in [
        (json!({"name": "Shop", "scopes": ["append"]}), "name: \"Shop\" is not a name for a token"),
        (json!({"name": "x", "scopes": []}), "scopes: a token without a scope may do nothing"),
        (json!({"name": "x", "scopes": ["write"]}), "scopes: `write` is not a scope; the scopes are append"),
        (json!({"name": "x", "scopes": ["append"], "expires_in_seconds": 0}), "expires_in_seconds: a token is valid"),
    ] {
        let found = api.with_token("POST", "/v1/tokens", &admin, &body.to_string()).await.problem();
        assert!(found.starts_with(&format!("422 invalid_body: {problem}")), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_log_breaks_off_when_its_token_is_revoked() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let token = api.token(&["read:events"]).await;
    let request = with_token("GET", "/v1/events", &token).header("accept", "text/event-stream");
    let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    let name = TokenName::new("t0".to_owned()).unwrap();
    api.host.access.tokens().revoke(&name, "the test").await.unwrap();
    let broken_off = async {
        loop {
            match body.next().await {
                Some(Ok(_)) => {}
                ended => break ended,
            }
        }
    };
    let ended = tokio::time::timeout(FOLLOW_DEADLINE, broken_off).await.expect("it ends");
    assert!(ended.is_some_and(|piece| piece.is_err()), "it does not look whole");
    let refused = api.with_token("GET", "/v1/events", &token, "").await.problem();
    assert!(refused.starts_with("401 unauthenticated: the token is revoked"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_are_for_operators_unless_the_host_is_told_that_they_are_for_all() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    assert_eq!(api.with_token("GET", "/metrics", "", "").await.status, StatusCode::UNAUTHORIZED);
    let token = api.token(&["operate"]).await;
    let measures = api.with_token("GET", "/metrics", &token, "").await;
    assert!(measures.text().contains("gnomon_http_denied_requests_total{reason=\"unauthenticated\"}"));
    let open = TestApi::guarded(AccessSettings { open_metrics: true, ..AccessSettings::default() }).await;
    assert_eq!(open.with_token("GET", "/metrics", "", "").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_nobody_takes_whatever_is_sent() {
    let api = TestApi::start().await;
    for token in ["", "nonsense", "gnomon_nonsense"] {
        assert_eq!(api.with_token("GET", "/v1/events", token, "").await.status, StatusCode::OK);
    }
    assert_eq!(api.get("/v1/whoami").await.json()["who"], json!("anyone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_a_token_is_not_known_and_nobody_is_let_in() {
    let api = TestApi::guarded(AccessSettings::default()).await;
    let token = api.token(&["admin"]).await;
    sqlx::raw_sql("ALTER TABLE gnomon.tokens RENAME TO away").execute(api.pool()).await.unwrap();
    let answer = api.with_token("GET", "/v1/whoami", &token, "").await;
    assert!(answer.status.is_server_error(), "{}", answer.text());
    sqlx::raw_sql("ALTER TABLE gnomon.away RENAME TO tokens").execute(api.pool()).await.unwrap();
    assert_eq!(api.with_token("GET", "/v1/whoami", &token, "").await.status, StatusCode::OK);
}

/// The table of docs/access.md is made of the descriptions. `GNOMON_BLESS=1` writes it again.
#[test]
fn the_table_of_routes_is_that_of_the_guide() {
    const BEGIN: &str = "<!-- begin: the routes, made of the code -->\n";
    const END: &str = "<!-- end: the routes -->\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/access.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let mut table = "\n| route | needs |\n|---|---|\n".to_owned();
    for operation in routes() {
        table += &format!("| `{} {}` | {} |\n", method(&operation), operation.path, operation.needs.in_words());
    }
    let made = format!("{head}{BEGIN}{table}\n{END}{tail}");
    if std::env::var_os("GNOMON_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(made == page, "write it with GNOMON_BLESS=1 cargo test -p gnomon --lib -- http::tests::access::the_table");
}
