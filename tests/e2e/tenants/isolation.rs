//! No request of one tenant reaches another one's log, read models, tokens or sinks.

use futures_util::StreamExt as _;
use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode, header::ACCEPT};
use serde_json::{Value, json};
use sqlx::PgPool;
use test_support::{HostClient, component, guest, until};

use super::{Tenanted, root_of};

/// What is for everybody, whoever asks.
const OPEN: &[&str] = &["/", "/docs", "/docs/licence", "/docs/rapidoc.js", "/errors/{code}", "/health/live"];

/// A path of a route, with something in the place of each of its parts.
fn example(path: &str) -> String {
    let part = |part: &str| match part {
        "{version}" | "{build}" | "{verification}" | "{past_build}" | "{position}" => "1".to_owned(),
        "{stream}" => "account-1".to_owned(),
        "{table}" => "accounts".to_owned(),
        "{token}" => "root".to_owned(),
        "{sink}" => "mail".to_owned(),
        part if part.starts_with('{') => "bank".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// All that operators and applications have put into a database.
async fn contents(pool: &PgPool) -> Vec<String> {
    let tables = [
        "SELECT coalesce(jsonb_agg(jsonb_build_array(position, type, data::jsonb) ORDER BY position), '[]')::text FROM gnomon.events",
        "SELECT coalesce(jsonb_agg(name ORDER BY name), '[]')::text FROM gnomon.modules",
        "SELECT coalesce(jsonb_agg(jsonb_build_array(name, scopes, revoked_at) ORDER BY name), '[]')::text FROM gnomon.tokens",
        "SELECT coalesce(jsonb_agg(to_jsonb(sinks) ORDER BY sink), '[]')::text FROM gnomon.sinks",
        "SELECT coalesce(jsonb_agg(jsonb_build_array(build, stage, work, role) ORDER BY build), '[]')::text FROM gnomon.builds",
        "SELECT coalesce(jsonb_agg(to_jsonb(accounts) ORDER BY account), '[]')::text FROM read_models.bank_accounts accounts",
    ];
    let mut found = Vec::new();
    for table in tables {
        found.push(sqlx::query_scalar(table).fetch_one(pool).await.unwrap_or_else(|error| panic!("{table}: {error}")));
    }
    found
}

async fn open_account(tenant: &HostClient, owner: &str, amounts: &[u64]) -> u64 {
    let mut position =
        tenant.append_one("account-1", "AccountOpened", json!({"owner": owner, "currency": "EUR"})).await;
    for amount in amounts {
        position = tenant.append_one("account-1", "MoneyDeposited", json!({"amount": amount, "currency": "EUR"})).await;
    }
    position
}

/// Reads what follows until a text is in it.
async fn follow(tenant: &HostClient, path: &str, until: &str) -> String {
    let response = tenant.request(Method::GET, path).header(ACCEPT, "text/event-stream").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let (mut text, mut chunks) = (String::new(), response.bytes_stream());
    while !text.contains(until) {
        text += std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_with_the_same_names_have_nothing_in_common() {
    let (acme_database, beta_database) = (TestDatabase::create().await, TestDatabase::create().await);
    let (acme_token, beta_token) = (root_of(&acme_database.url()), root_of(&beta_database.url()));
    let tenants = json!({"acme": {"database": acme_database.url()}, "beta": {"database": beta_database.url()}});
    let mut host = Tenanted::start(&tenants, &["--auth", "tokens"]).await;
    let (acme, beta) = (host.tenant("acme", &acme_token), host.tenant("beta", &beta_token));

    // The same names of modules, projections and streams.
    for tenant in [&acme, &beta] {
        tenant.deploy("bank", component("bank"), "").await;
    }
    acme.deploy("other", guest("boxes"), "").await;
    beta.deploy("other", guest("tally"), "").await;
    let digest = async |tenant: &HostClient| tenant.json("/v1/modules/other/versions/1").await["digest"].clone();
    assert_ne!(digest(&acme).await, digest(&beta).await);
    let sink = json!({"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "file:/nowhere/secret"});
    let put = beta.send(beta.request(Method::PUT, "/v1/sinks/mail").json(&sink)).await;
    assert!(put.status.is_success(), "{put:?}");
    assert_eq!(acme.json("/v1/sinks").await["sinks"], json!([]));

    // Followers of `beta`, while both append.
    let events = {
        let beta = host.tenant("beta", &beta_token);
        tokio::spawn(async move { follow(&beta, "/v1/events", "Bea").await })
    };
    let acme_position = open_account(&acme, "Ada", &[5]).await;
    let beta_position = open_account(&beta, "Bob", &[7, 8]).await;
    let rows =
        async |tenant: &HostClient, position| tenant.rows_at("bank/accounts?select=owner,balance", position).await;
    assert_eq!(rows(&acme, acme_position).await, [json!({"owner": "Ada", "balance": 5})]);
    assert_eq!(rows(&beta, beta_position).await, [json!({"owner": "Bob", "balance": 15})]);
    let live = {
        let beta = host.tenant("beta", &beta_token);
        tokio::spawn(async move { follow(&beta, "/v1/read-models/bank/accounts", "Bea").await })
    };
    for number in 2..20 {
        acme.append_one(&format!("account-{number}"), "AccountOpened", json!({"owner": "Anne", "currency": "EUR"}))
            .await;
    }
    beta.append_one("account-9", "AccountOpened", json!({"owner": "Bea", "currency": "EUR"})).await;
    for text in [events.await.unwrap(), live.await.unwrap()] {
        assert!(text.contains("Bob") && !text.contains("Ada") && !text.contains("Anne"), "{text}");
    }

    // Every route, by every way to name the tenant, with the token of another one.
    let pool = beta_database.pool().await;
    until("beta has come to rest", async || {
        let projection = beta.projection("bank").await;
        projection["builds"].as_array().unwrap().iter().all(|build| build["lag"] == 0)
    })
    .await;
    let before = contents(&pool).await;
    let description = beta.json("/openapi.json").await;
    let mut asked = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "parameters") {
            if OPEN.contains(&path.as_str()) {
                continue;
            }
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let path = example(path);
            let requests = [
                host.below("/t/beta", &acme_token).request(method.clone(), &path),
                host.below("", &acme_token).request(method.clone(), &path).header("gnomon-tenant", "beta"),
                host.below("", &format!("beta.{acme_token}")).request(method.clone(), &path),
                host.below("/t/beta", "").request(method.clone(), &path),
            ];
            for request in requests {
                let answer = host.send(request.json(&json!({"events": [{"type": "AccountOpened", "data": {}}]}))).await;
                let is_description = path == "/openapi.json" && answer.status == StatusCode::OK;
                if is_description {
                    assert!(
                        answer.body["paths"].get("/v1/read-models/bank/accounts").is_none(),
                        "nobody's tables are described"
                    );
                    continue;
                }
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {answer:?}");
                asked += 1;
            }
        }
    }
    assert!(asked > 250, "{asked}");
    assert_eq!(contents(&pool).await, before);

    // All that `acme` may do with its own token leaves `beta` as it is.
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "parameters") {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let body = json!({"events": [{"type": "AccountOpened", "data": {"owner": "Ada", "currency": "EUR"}}]});
            let request = acme.request(method.clone(), &example(path)).header("prefer", "wait=0").json(&body);
            let answer = acme.send(request).await;
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {answer:?}");
            assert!(!answer.body.to_string().contains("Bob"), "{method} {path}: {answer:?}");
        }
    }
    assert_eq!(contents(&pool).await, before);

    assert!(host.has_logged("\"tenant\":\"acme\""), "the log says for whom an operation is");

    // A host that is killed has each with its own again.
    host.restart().await;
    let (acme, beta) = (host.tenant("acme", &root_again(&acme_database)), host.tenant("beta", &beta_token));
    assert_eq!(contents(&pool).await, before);
    let owners: Vec<Value> = beta.rows_at("bank/accounts?select=owner&order=owner", beta_position).await;
    assert_eq!(owners, [json!({"owner": "Bea"}), json!({"owner": "Bob"})]);
    assert_eq!(acme.json("/v1/streams/account-1/events?limit=1").await["events"][0]["data"]["owner"], "Ada");
    pool.close().await;
}

/// A further token, since one of the routes that were asked has revoked the first one.
fn root_again(database: &TestDatabase) -> String {
    super::run(&["tokens", "create", "again", "--scope", "admin"], &[("DATABASE_URL", &database.url())])
}
