use super::*;

/// Every malformed request is answered by a problem that names what is wrong, and leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_appends() {
    let api = TestApi::start().await;
    let path = "/v1/streams/a-1/events";
    for (body, problem) in [
        ("", "400 malformed_json: EOF while parsing a value at line 1 column 0"),
        ("{", "400 malformed_json: EOF while parsing an object at line 1 column 1"),
        ("{\"events\": []} {}", "400 malformed_json: trailing characters at line 1 column 16"),
        ("[]", "422 invalid_body: a JSON object is expected"),
        ("{}", "422 invalid_body: missing field `events` at line 1 column 2"),
        ("[1,", "400 malformed_json: EOF while parsing a value at line 1 column 3"),
        ("{\"events\": []}", "422 empty_append: an append needs at least one event"),
        ("{\"events\": {}}", "422 invalid_body: events: invalid type: map, expected a sequence at line 1 column 11"),
        (
            "{\"events\": [], \"more\": 1}",
            "422 invalid_body: more: unknown field `more`, expected `expected_version` or `events` at line 1 column 21",
        ),
        (
            "{\"expected_version\": \"some\", \"events\": []}",
            "422 invalid_body: expected_version: invalid value: string \"some\", expected \"any\", \"no_stream\" or a version of the stream at line 1 column 27",
        ),
        (
            "{\"expected_version\": -1, \"events\": []}",
            "422 invalid_body: expected_version: invalid type: integer `-1`, expected \"any\", \"no_stream\" or a version of the stream at line 1 column 23",
        ),
        ("{\"events\": [{\"type\": \"A\"}]}", "422 invalid_body: events[0]: missing field `data` at line 1 column 25"),
        (
            "{\"events\": [{\"type\": \"\", \"data\": 1}]}",
            "422 invalid_body: events[0].type: the event type must not be empty at line 1 column 23",
        ),
        (
            "{\"events\": [{\"type\": 7, \"data\": 1}]}",
            "422 invalid_body: events[0].type: invalid type: integer `7`, expected a string at line 1 column 22",
        ),
        (
            "{\"events\": [{\"type\": \"A\", \"data\": 1, \"time\": \"yesterday\"}]}",
            "422 invalid_body: events[0].time: `yesterday` is not an instant as RFC 3339 writes it, such as 2013-01-01T10:17:00Z, from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z at line 1 column",
        ),
        (
            "{\"events\": [{\"type\": \"A\", \"data\": 1, \"schema_version\": 0}]}",
            "422 invalid_body: events[0].schema_version: the schema version 0 is not between 1 and 2147483647 at line 1 column 57",
        ),
        (
            "{\"events\": [{\"type\": \"A\", \"data\": 1, \"position\": 0}]}",
            "422 invalid_body: events[0].position: unknown field `position`, expected one of `id`, `type`, `schema_version`, `time`, `data`, `metadata`",
        ),
    ] {
        let found = api.post(path, body).await.problem();
        assert!(found.starts_with(problem), "{body}\n found: {found}\nwanted: {problem}");
    }
    let bad_utf8 = b"{\"events\": [{\"type\": \"A\", \"data\": \"\xff\xfe\"}]}".to_vec();
    let found = api.post(path, bad_utf8).await.problem();
    assert!(found.starts_with("400 malformed_json: "), "{found}");
    let found = api.post(path, vec![b' '; 30_000]).await.problem();
    assert_eq!(found, "413 body_too_large: the body of the request has 30000 bytes; the limit max_body_bytes is 20000");
    let request = Request::post(path).header(header::CONTENT_TYPE, "text/plain").body(Body::from("{}")).unwrap();
    assert_eq!(
        api.send(request).await.problem(),
        "415 unsupported_media_type: Content-Type must be application/json; it is `text/plain`"
    );
    let request = Request::post("/v1/events").body(Body::from("{}")).unwrap();
    assert_eq!(
        api.send(request).await.problem(),
        "415 unsupported_media_type: Content-Type must be application/json or application/x-ndjson; it is none"
    );
    let events = json!({"events": [event("A")]}).to_string();
    let found = api.post(&format!("/v1/streams/{}/events", "x".repeat(256)), events.clone()).await.problem();
    assert_eq!(found, "413 limit_exceeded: bytes of the stream's name: 256; the limit max_stream_name_bytes is 255");
    let found = api.post("/v1/streams/a%00b/events", events.clone()).await.problem();
    assert_eq!(found, "400 invalid_path: the stream name \"a\\0b\" contains the control character '\\0'");
    let found = api.post("/v1/streams/a%ff/events", events).await.problem();
    assert_eq!(found, "400 invalid_path: Invalid URL: Invalid UTF-8 in `stream`");
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_queries() {
    let api = TestApi::start().await;
    for (path, problem) in [
        ("/v1/events?limit=0", "400 invalid_query: `limit` must be 1 to 50 (max_page); it is 0"),
        ("/v1/events?limit=51", "400 invalid_query: `limit` must be 1 to 50 (max_page); it is 51"),
        ("/v1/events?limit=many", "400 invalid_query: query string: limit: invalid digit found in string"),
        ("/v1/events?after=-1", "400 invalid_query: query string: `after` must be a number or `head`; it is `-1`"),
        ("/v1/events?after=head", "400 invalid_query: `after=head` is for followers only"),
        (
            "/v1/events?direction=up",
            "400 invalid_query: query string: direction: unknown variant `up`, expected `forward` or `backward`",
        ),
        (
            "/v1/events?type=A",
            "400 invalid_query: query string: unknown field `type`, expected one of `after`, `limit`, `direction`, `types`, `category`",
        ),
        ("/v1/streams/a-1/events", "404 stream_not_found: there is no stream `a-1`"),
        ("/v1/streams?category=a&order=b", "400 invalid_query: query string: unknown field `order`"),
        ("/v1/modules/nobody", "404 module_not_found: there is no module `nobody`"),
        ("/v1/modules/nobody/versions/1", "404 module_not_found: there is no module `nobody`"),
        (
            "/v1/modules/nobody/versions/one",
            "400 invalid_path: Invalid URL: Cannot parse value at index 1 with value `one`",
        ),
        ("/v1/modules/nobody/versions/1/wasm", "404 module_not_found: module `nobody` has no version 1"),
        ("/v1/modules/No%20Body", "400 invalid_path: Invalid URL: "),
        ("/v1/projections/nobody", "404 projection_not_found: there is no projection `nobody`"),
        ("/v1/read-models/nobody/table", "404 PGRST205: there is no projection `nobody`"),
        ("/v1/read-models/nobody", "404 not_found: there is nothing at /v1/read-models/nobody"),
        ("/v2/events", "404 not_found: there is nothing at /v2/events"),
        ("/errors/nothing", "404 not_found: there is no error code `nothing`"),
    ] {
        let found = api.get(path).await.problem();
        assert!(found.starts_with(problem), "{path}\n found: {found}\nwanted: {problem}");
    }
    let request = Request::get("/v1/events").header("accept", "text/event-stream").header("last-event-id", "x");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        "400 invalid_header: Last-Event-ID must be a number; it is \"x\""
    );
    let request = Request::get("/v1/read-models/a/b").header("gnomon-min-position", "soon");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        "400 invalid_header: Gnomon-Min-Position must be a position of the log; it is \"soon\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_path_does_not_take_is_told_which_it_takes() {
    let api = TestApi::start().await;
    for (method, path, allowed) in [
        ("DELETE", "/v1/events", "POST,GET,HEAD"),
        ("POST", "/v1/modules/a", "PUT,GET,HEAD"),
        ("PATCH", "/v1/read-models/a/b", "GET,HEAD"),
    ] {
        let answer = api.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), format!("405 method_not_allowed: {path} does not take {method}"));
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_has_a_page() {
    let api = TestApi::start().await;
    for code in problem::Code::ALL {
        let answer = api.get(&format!("/errors/{}", code.as_str())).await;
        assert_eq!(answer.status, StatusCode::OK);
        let page = std::str::from_utf8(&answer.body).unwrap();
        for part in [&format!("# `{}`", code.as_str()), "## Cause", "## Way out"] {
            assert!(page.contains(part), "docs/errors/{}.md lacks {part}", code.as_str());
        }
    }
}
