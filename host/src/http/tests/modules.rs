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
