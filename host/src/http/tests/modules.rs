use std::fs;

use super::*;

pub(super) async fn upload(api: &TestApi, name: &str, bytes: impl Into<Body>) -> Answer {
    let request = Request::put(format!("/v1/modules/{name}")).header(header::CONTENT_TYPE, "application/wasm");
    api.send(request.body(bytes.into()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_module_is_refused_with_reasons_and_not_kept() {
    let api = TestApi::start().await;
    let problem = upload(&api, "a", "").await.problem();
    assert_eq!(problem, "422 invalid_module: not a module: it is empty");
    let problem = upload(&api, "a", "<html>").await.problem();
    assert!(problem.contains("it is not WebAssembly: it begins with 3c 68 74 6d"), "{problem}");
    let answer = upload(&api, "a", &b"\0asm\x01\0\0\0"[..]).await;
    assert!(answer.problem().contains("a core WebAssembly module, not a component"), "{}", answer.problem());
    assert_eq!(answer.json()["reasons"].as_array().unwrap().len(), 1);
    let problem = upload(&api, "a", &b"\0asm\x0d\0\x01\0\xff\xff"[..]).await.problem();
    assert!(problem.contains("it is not a valid component: "), "{problem}");
    // An empty component.
    let problem = upload(&api, "a", &b"\0asm\x0d\0\x01\0"[..]).await.problem();
    assert!(problem.contains("it exports neither"), "{problem}");
    let problem = upload(&api, "a", vec![0; 150_000]).await.problem();
    assert_eq!(
        problem,
        "413 body_too_large: the body of the request has 150000 bytes; the limit max_module_bytes is 100000"
    );
    let request = Request::put("/v1/modules/a").header(header::CONTENT_TYPE, "application/json").body(Body::empty());
    assert!(api.send(request.unwrap()).await.problem().starts_with("415 unsupported_media_type"));
    let problem = upload(&api, "Not-A-Name", "").await.problem();
    assert!(problem.starts_with("400 invalid_path"), "{problem}");
    assert!(api.is_empty().await);
}

/// The files of compiled code that the host keeps, in their one folder.
fn compiled(api: &TestApi) -> Vec<std::path::PathBuf> {
    let entries = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    entries(api.host.cache.path()).iter().flat_map(|of_engine| entries(of_engine)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn compiled_code_is_kept_for_modules_that_are_accepted() {
    let api = TestApi::start_for_modules().await;
    let refused = upload(&api, "a", test_support::guest("bad_descriptor")).await;
    assert!(refused.problem().starts_with("422 invalid_module"), "{}", refused.problem());
    assert_eq!(compiled(&api), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(upload(&api, "tally?deploy=false", test_support::guest("tally")).await.status, StatusCode::CREATED);
    let kept = compiled(&api);
    assert_eq!(kept.len(), 1, "{kept:?}");
    // Refused when it is to be stored.
    let refused = upload(&api, "tally", test_support::upcaster("does_as_told")).await;
    assert!(refused.problem().starts_with("409 module_kind_changed"), "{}", refused.problem());
    assert_eq!(compiled(&api), kept);
    // What a host that died has left.
    let unknown = kept[0].with_file_name(format!("{}.cwasm", "0".repeat(64)));
    fs::copy(&kept[0], &unknown).unwrap();
    api.host.modules.sweep_code().await;
    assert_eq!(compiled(&api), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_no_descriptors() {
    let api = TestApi::start_for_modules().await;
    assert_eq!(upload(&api, "tally?deploy=false", test_support::guest("tally")).await.status, StatusCode::CREATED);
    let listed = api.get("/v1/modules").await.json()["modules"][0].clone();
    assert_eq!(listed, api.get("/v1/modules/tally").await.json());
    let version = &listed["versions"][0];
    assert_eq!((&version["sdk"]["name"], version.get("descriptor")), (&json!("gnomon-sdk"), None));
    let version = api.get("/v1/modules/tally/versions/1").await.json();
    assert_eq!(version["descriptor"]["categories"], json!(["count"]));
    let problem = api.get("/v1/modules/tally/versions/2").await.problem();
    assert_eq!(problem, "404 module_not_found: module `tally` has no version 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_is_stored_and_described() {
    let api = TestApi::start_for_modules().await;
    let uploaded = upload(&api, "replies", test_support::guest("replies")).await;
    assert_eq!(uploaded.status, StatusCode::CREATED);
    let version = api.get("/v1/modules/replies/versions/1").await.json();
    let descriptor = &version["descriptor"];
    assert_eq!(uploaded.json()["descriptor"], *descriptor);
    assert_eq!((&descriptor["kind"], &descriptor["sinks"]), (&json!("reactor"), &json!(["mail", "bank"])));
    assert_eq!((&descriptor["categories"], &descriptor["tables"][0]["name"]), (&json!(["count"]), &json!("sums")));
    let types = ["Counted", "ScheduleDue", "CallSucceeded", "CallFailed", "AppendRefused"];
    assert_eq!(descriptor["event_types"], json!(types.map(|name| json!({"type": name}))));
    // It keeps its kind, and its tables have no views that a projection could have.
    let refused = upload(&api, "replies", test_support::guest("tally")).await;
    assert_eq!(
        refused.problem(),
        "409 module_kind_changed: `replies` is a reactor, and this is a projection; upload it under another name"
    );
    assert_eq!(api.get("/v1/modules").await.json()["modules"][0]["kind"], json!("reactor"));
}

/// Bodies that are never sent to their end take places as well.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_beyond_the_places_are_refused_and_served_later() {
    let api = TestApi::start().await;
    let places = RuntimeLimits::default().max_uploads;
    let half_sent: Vec<_> = (0..places)
        .map(|_| {
            let body = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
            let request = Request::put("/v1/modules/a").header(header::CONTENT_TYPE, "application/wasm");
            tokio::spawn(api.router.clone().oneshot(request.body(body).unwrap()))
        })
        .collect();
    test_support::until("all places are taken", async || api.host.operations.upload_place().is_err()).await;
    let refused = upload(&api, "a", "").await;
    assert_eq!(
        refused.problem(),
        format!(
            "503 modules_busy: the host is busy with {places} other uploads, the limit max_uploads; nothing of this one was read"
        )
    );
    assert_eq!(refused.header("retry-after"), "1");
    // Everything else is served.
    assert_eq!(api.append("a-1", json!({"events": [event("Happened")]})).await.status, StatusCode::CREATED);
    half_sent.iter().for_each(tokio::task::JoinHandle::abort);
    test_support::until("a place is free", async || api.host.operations.upload_place().is_ok()).await;
    assert!(upload(&api, "a", "").await.problem().starts_with("422 invalid_module"));
}
