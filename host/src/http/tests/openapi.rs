//! The description of the API.

use std::collections::BTreeSet;

use super::*;
use crate::{
    builds::{Work, tests::TestBuilds},
    http::openapi::routes,
};

/// The methods and paths in the source of the router.
fn in_the_router() -> BTreeSet<(String, String)> {
    let source = include_str!("../router.rs");
    let routes = source.split(".route(").skip(1).map(|rest| rest.split(".fallback").next().unwrap());
    routes
        .flat_map(|route| {
            let path = route.split('"').nth(1).unwrap().to_owned();
            let methods = ["get", "post", "put", "patch", "delete"].into_iter();
            let taken = methods.filter(|method| {
                let call = format!("{method}(");
                route
                    .match_indices(&call)
                    .any(|(at, _)| !route[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            taken.map(|method| (method.to_owned(), path.clone())).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_nothing_else() {
    let described: BTreeSet<_> =
        routes().iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, in_the_router());
    let api = TestApi::start().await;
    for (method, path) in described {
        let path = path.replace(['{', '}'], "");
        let request = Request::builder().method(&*method.to_ascii_uppercase()).uri(&path);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let codes = ["not_found", "method_not_allowed", "PGRST125", "PGRST117"];
        let missing = answer.status.is_client_error()
            && codes.contains(&answer.json()["code"].as_str().unwrap())
            && path != "/errors/code";
        assert!(!missing, "{method} {path}: {:?}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_in_the_document_leads_to_something_and_each_operation_has_its_own_id() {
    let api = TestApi::start().await;
    let document = api.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], json!("3.1.0"));
    let mut names = BTreeSet::new();
    references(&document, &mut names);
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert!(document.pointer(name.strip_prefix('#').unwrap()).is_some(), "{name}");
    }
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut ids = BTreeSet::new();
    for operation in operations {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{}", operation["operationId"]);
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{}", operation["summary"]);
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{operation} {status}");
        }
    }
    assert!(ids.contains("append") && ids.contains("openapi"));
}

fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            names.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_active_builds_are_described_and_change_with_a_swap() {
    let builds = TestBuilds::create().await;
    let (first, tables) = builds.build(1, &["n"]).await;
    let (second, other_tables) = builds.build(2, &["n", "m"]).await;
    for build in [first, second] {
        builds.live(build).await;
        // The host of the API does not work on it.
        builds.set(build, |kept| kept.work = Work::Paused).await;
    }
    let api = TestApi::on(&builds.database).await;
    let before = api.get("/openapi.json").await;
    let table = "/v1/read-models/totals/sums";
    assert!(before.json()["paths"].get(table).is_none(), "it cannot be read yet");

    builds.activate(first, &tables).await;
    let active = api.get("/openapi.json").await;
    let document = active.json();
    let columns = document["components"]["schemas"]["totals.sums.columns"]["properties"].as_object().unwrap();
    assert_eq!(columns["n"], json!({"type": "integer", "format": "int64"}));
    let parameters = document["paths"][table]["get"]["parameters"].as_array().unwrap();
    let names: Vec<_> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    for name in ["select", "order", "limit", "offset", "n", "Gnomon-Min-Position"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let rows = &document["paths"][table]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(rows["items"], json!({"$ref": "#/components/schemas/totals.sums.columns"}));

    // The same builds: the same document, which the client has.
    let tag = active.header("etag").to_owned();
    assert_ne!(before.header("etag"), tag);
    let ask = async || {
        let request = Request::get("/openapi.json").header("if-none-match", &tag);
        api.send(request.body(Body::empty()).unwrap()).await
    };
    let same = ask().await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (StatusCode::NOT_MODIFIED, 0, &*tag));

    // Another build becomes active: another column, another tag.
    builds.activate(second, &other_tables).await;
    let after = ask().await;
    assert_eq!(after.status, StatusCode::OK);
    assert_ne!(after.header("etag"), tag);
    assert!(after.json()["components"]["schemas"]["totals.sums.columns"]["properties"].get("m").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_no_other_server_and_leads_to_the_host_under_a_sub_path() {
    let api = TestApi::start().await;
    let page = api.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    assert!(!page.text().contains("//"), "it names another server:\n{}", page.text());
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");

    let under = Request::get("/sub/docs").header("x-forwarded-prefix", "/sub");
    let under = api.send(under.body(Body::empty()).unwrap()).await;
    for name in ["src=\"/sub/docs/rapidoc.js\"", "spec-url=\"/sub/openapi.json\""] {
        assert!(under.text().contains(name), "{}", under.text());
    }
    let document = Request::get("/sub/openapi.json").header("x-forwarded-prefix", "/sub");
    let document = api.send(document.body(Body::empty()).unwrap()).await;
    assert_eq!(document.json()["servers"][0]["url"], json!("/sub/"));

    let plain = api.get("/docs/rapidoc.js").await;
    assert!(plain.text().contains("RapiDoc 9.3.8"));
    let gzip = Request::get("/docs/rapidoc.js").header("accept-encoding", "gzip, br").body(Body::empty()).unwrap();
    let gzip = api.send(gzip).await;
    assert_eq!((gzip.header("content-encoding"), gzip.header("content-type")), ("gzip", plain.header("content-type")));
    assert!(gzip.body.len() < plain.body.len() / 3);
    assert_ne!(gzip.header("etag"), plain.header("etag"));
    assert!(api.get("/docs/licence").await.text().contains("MIT License"));
}
