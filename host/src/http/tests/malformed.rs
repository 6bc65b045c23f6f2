use super::*;

/// A malformed request is answered with a problem that names what is wrong, and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_appends() {
    let api = TestApi::start().await;
    let path = "/v1/streams/a-1/events";
    for (body, problem) in [
        ("", "400 malformed_json: the body is empty; it must be a JSON object"),
        ("{", "400 malformed_json: the text ends within an object at line 1 column 1"),
        (r#"{"events": []} {}"#, "400 malformed_json: more text follows the JSON at line 1 column 16"),
        ("[]", "422 invalid_body: this is a JSON array; the body must be a JSON object"),
        ("7", "422 invalid_body: the body must be a JSON object"),
        ("events=1", "400 malformed_json: the body must be a JSON object; it begins with `events=1`"),
        ("{}", "422 invalid_body: missing field `events`"),
        ("\u{feff}{}", "422 invalid_body: missing field `events`"),
        (r#"{"events": [], "events": []}"#, "422 invalid_body: the field `events` is there twice"),
        (r#"{"events": []}"#, "422 empty_append: an append needs at least one event"),
        (r#"{"events": {}}"#, "422 invalid_body: events: an array is expected, not an object"),
        (
            r#"{"events": [], "more": 1}"#,
            "422 invalid_body: more: unknown field `more`, expected one of `expected_version`, `condition`, `events`",
        ),
        (
            r#"{"expected_version": "some", "events": []}"#,
            r#"422 invalid_body: expected_version: "any", "no_stream" or a version of the stream is expected, not the text "some""#,
        ),
        (
            r#"{"expected_version": -1, "events": []}"#,
            r#"422 invalid_body: expected_version: "any", "no_stream" or a version of the stream is expected, not the number -1"#,
        ),
        (r#"{"events": [{"type": "A"}]}"#, "422 invalid_body: events[0]: missing field `data`"),
        (
            r#"{"events": [{"type": "", "data": 1}]}"#,
            "422 invalid_body: events[0].type: the event type must not be empty",
        ),
        (
            r#"{"events": [{"type": 7, "data": 1}]}"#,
            "422 invalid_body: events[0].type: a string is expected, not the number 7",
        ),
        (
            r#"{"events": [{"type": "A", "data": 1, "time": "yesterday"}]}"#,
            "422 invalid_body: events[0].time: `yesterday` is not an instant as RFC 3339 writes it, such as 2013-01-01T10:17:00Z, from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z",
        ),
        (
            r#"{"events": [{"type": "A", "data": 1, "schema_version": 0}]}"#,
            "422 invalid_body: events[0].schema_version: the schema version 0 is not between 1 and 2147483647",
        ),
        (
            r#"{"events": [{"type": "A", "data": 1, "schema_version": 1.5}]}"#,
            "422 invalid_body: events[0].schema_version: a whole number, 0 or more, is expected, not the number 1.5",
        ),
        (
            r#"{"events": [{"type": "A", "data": 1, "schema_version": 1e400}]}"#,
            "422 invalid_body: events[0].schema_version: the number is too large",
        ),
        (r#"{"events": [["A", {}]]}"#, "422 invalid_body: events[0]: an object is expected, not an array"),
        (
            r#"{"events": [{"type": "A", "data": 1, "position": 0}]}"#,
            "422 invalid_body: events[0].position: unknown field `position`, expected one of `id`, `type`, `schema_version`, `time`, `tags`, `data`, `metadata`",
        ),
    ] {
        let found = api.post(path, body).await.problem();
        assert_eq!(found, problem, "{body}");
    }
    for (body, field) in [
        ("{}", "events"),
        (r#"{"events": [], "events": []}"#, "events"),
        (r#"{"events": [{"type": "A"}]}"#, "events[0].data"),
        (r#"{"events": [{"type": "A", "data": 1, "type": "B"}]}"#, "events[0].type"),
        (r#"{"events": [{"type": 7, "data": 1}]}"#, "events[0].type"),
        (r#"{"events": [["A", {}]]}"#, "events[0]"),
    ] {
        assert_eq!(api.post(path, body).await.json()["field"], json!(field), "{body}");
    }
    let arrays = r#"{"appends": [["a-1", "any", []]]}"#;
    let found = api.post("/v1/events", arrays).await.problem();
    assert_eq!(found, "422 invalid_body: appends[0]: an object is expected, not an array");
    let bad_utf8 = b"{\"events\": [{\"type\": \"A\", \"data\": \"\xff\xfe\"}]}".to_vec();
    let found = api.post(path, bad_utf8).await.problem();
    assert!(found.starts_with("400 malformed_json: "), "{found}");
    let found = api.post(path, vec![b' '; 30_000]).await.problem();
    assert_eq!(found, "413 body_too_large: the body of the request has 30000 bytes; the limit max_body_bytes is 20000");
    let request = Request::post(path).header(header::CONTENT_TYPE, "text/plain").body(Body::from("{}")).unwrap();
    assert_eq!(
        api.send(request).await.problem(),
        "415 unsupported_media_type: Content-Type must be application/json, application/cloudevents+json or \
         application/cloudevents-batch+json; it is `text/plain`"
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
    assert_eq!(found, "400 invalid_path: the path has the character NUL (%00), which no name may have");
    let found = api.post("/v1/streams/a%ff/events", events).await.problem();
    assert_eq!(found, "400 invalid_path: the part `stream` of the path is not UTF-8");
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_queries() {
    let api = TestApi::start().await;
    for (path, problem) in [
        ("/v1/events?limit=0", "400 invalid_query: `limit` must be 1 to 50 (max_page); it is 0"),
        ("/v1/events?limit=51", "400 invalid_query: `limit` must be 1 to 50 (max_page); it is 51"),
        (
            "/v1/events?limit=many",
            "400 invalid_query: query string: `limit` must be a whole number, 0 or more; it has other characters",
        ),
        (
            "/v1/events?limit=",
            "400 invalid_query: query string: `limit` must be a whole number, 0 or more; it is empty",
        ),
        (
            "/v1/events?limit=18446744073709551616",
            "400 invalid_query: query string: `limit` must be a whole number, 0 or more; it is too large",
        ),
        ("/v1/events?upcast=yes", "400 invalid_query: query string: `upcast` must be `true` or `false`"),
        ("/v1/events?after=-1", "400 invalid_query: query string: `after` must be a number or `head`; it is `-1`"),
        ("/v1/events?after=head", "400 invalid_query: `after=head` is for followers only"),
        (
            "/v1/events?direction=up",
            "400 invalid_query: query string: direction: unknown variant `up`, expected `forward` or `backward`",
        ),
        (
            "/v1/events?type=A",
            "400 invalid_query: query string: unknown parameter `type`, expected one of `after`, `limit`, `direction`, `types`, `category`",
        ),
        ("/v1/streams/a-1/events", "404 stream_not_found: there is no stream `a-1`"),
        (
            "/v1/streams?category=a&order=b",
            "400 invalid_query: query string: unknown parameter `order`, expected one of `category`, `after`, `limit`",
        ),
        ("/v1/events?limit=1&limit=2", "400 invalid_query: query string: the parameter `limit` is given twice"),
        ("/v1/events?types=", "400 invalid_query: `types`: the event type must not be empty"),
        ("/v1/events?types=A,,B", "400 invalid_query: `types`: the event type must not be empty"),
        (
            "/v1/events?types=A%00",
            "400 invalid_query: query string: `types` has the character NUL (%00), which no text may have",
        ),
        ("/v1/events?types=%22A,B", r#"400 invalid_query: `types`: the quotes of "A,B do not end before a comma;"#),
        (
            "/v1/events?category=user-v1",
            "400 invalid_category: `category`: the category `user-v1` has a `-`; a category is what stands before the first `-` of a stream's name",
        ),
        (
            "/v1/streams?category=user-v1",
            "400 invalid_category: `category`: the category `user-v1` has a `-`; a category is",
        ),
        ("/v1/streams?category=", "400 invalid_category: `category`: the category must not be empty"),
        ("/v1/events?category=a,", "400 invalid_category: `category`: the category must not be empty"),
        ("/v1/streams?category=%00", "400 invalid_query: query string: `category` has the character NUL"),
        ("/v1/streams?after=%00", "400 invalid_query: query string: `after` has the character NUL (%00)"),
        ("/v1/streams/%2E%2E/events", "400 invalid_path: the stream name `..` cannot stand in a URL"),
        ("/v1/modules/nobody", "404 module_not_found: there is no module `nobody`"),
        ("/v1/modules/nobody/versions/1", "404 module_not_found: there is no module `nobody`"),
        ("/v1/modules/nobody/versions/one", "400 invalid_path: a part of the path must be a whole number; it is `one`"),
        ("/v1/modules/nobody/versions/1/wasm", "404 module_not_found: module `nobody` has no version 1"),
        ("/v1/modules/No%20Body", "400 invalid_path: "),
        ("/v1/projections/nobody", "404 projection_not_found: there is no projection `nobody`"),
        ("/v1/reactors/nobody", "404 reactor_not_found: there is no reactor `nobody`"),
        ("/v1/reactors/nobody/dead-letters", "404 reactor_not_found: there is no reactor `nobody`"),
        ("/v1/reactors/nobody/history", "404 reactor_not_found: there is no reactor `nobody`"),
        ("/v1/sinks/nobody/history", "404 sink_not_found: there is no sink `nobody`"),
        ("/v1/reactors/No%20Body", "400 invalid_path: "),
        ("/v1/read-models/nobody/table", "404 PGRST205: there is no projection `nobody`"),
        ("/v1/read-models/nobody", "404 PGRST205: there is no projection `nobody`"),
        ("/v1/read-models/a/b/c", "404 PGRST125: Invalid path specified in request URL"),
        ("/v2/events", "404 not_found: there is nothing at /v2/events"),
        ("/errors/nothing", "404 not_found: there is no error code `nothing`"),
        ("/errors/%ff", "400 invalid_path: the part `code` of the path is not UTF-8"),
    ] {
        let found = api.get(path).await.problem();
        assert!(found.starts_with(problem), "{path}\n found: {found}\nwanted: {problem}");
    }
    let request = Request::get("/v1/events").header("accept", "text/event-stream").header("last-event-id", "x");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        r#"400 invalid_header: Last-Event-ID must be a number; it is "x""#
    );
    for (accept, path, problem) in [
        ("*/*", "/v1/events", "400 invalid_header: Last-Event-ID is for followers, with `Accept: text/event-stream`;"),
        ("*/*", "/v1/streams/a-1/events", "400 invalid_header: Last-Event-ID is for followers"),
        ("text/event-stream", "/v1/events?limit=5", "400 invalid_query: `limit` is for pages; followers get every"),
        ("text/event-stream", "/v1/streams/a-1/events?limit=5", "400 invalid_query: `limit` is for pages"),
    ] {
        let request = Request::get(path).header("accept", accept).header("last-event-id", "0");
        let found = api.send(request.body(Body::empty()).unwrap()).await.problem();
        assert!(found.starts_with(problem), "{path}\n found: {found}\nwanted: {problem}");
    }
    let request = Request::get("/v1/read-models/a/b").header("gnomon-min-position", "soon");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        r#"400 invalid_header: Gnomon-Min-Position must be a position of the log; it is "soon""#
    );
}

/// Each route under `/v1` refuses a parameter that it does not know before it does anything: `DELETE …/bank?build=4` must not
/// delete the projection.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_parameter_is_refused_on_every_path() {
    let api = TestApi::start().await;
    let routes = crate::http::openapi::routes();
    // The query string of a table is PostgREST's, in which any word may be a column.
    let routes = routes.iter().filter(|route| route.path.starts_with("/v1/") && !route.path.ends_with("/{table}"));
    for route in routes {
        let method = route.method.to_ascii_uppercase();
        let path = ["version", "build", "verification", "past_build", "position"]
            .iter()
            .fold(route.path.to_owned(), |path, number| path.replace(&format!("{{{number}}}"), "4"))
            .replace(['{', '}'], "");
        // With a slash at its end, each is the same route.
        for slash in ["", "/"] {
            let request = Request::builder().method(&*method).uri(format!("{path}{slash}?colour=red"));
            let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
            let found = api.send(request).await.problem();
            assert!(
                found.starts_with("400 invalid_query: query string: unknown parameter `colour`, "),
                "{method} {path}{slash}: {found}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_would_change_the_answer_are_refused() {
    let api = TestApi::start().await;
    for (name, value, problem) in [
        ("range", "6-5", "416 PGRST103: Requested range not satisfiable"),
        (
            "accept",
            "application/geo+json",
            "406 PGRST107: None of these media types are available: application/geo+json",
        ),
        ("gnomon-session", "7", "400 invalid_header: Gnomon-Session must be what the answer before had"),
        ("prefer", "handling=strict, timezone=Nowhere", "400 PGRST122: Invalid preferences given with handling=strict"),
        ("prefer", "handling=strict, colour=red", "400 PGRST122: Invalid preferences given with handling=strict"),
        ("accept-profile", "shop", "406 PGRST106: Invalid schema: shop"),
        ("accept-profile", "public", "404 PGRST205: there is no projection `bank`"),
    ] {
        let request = Request::get("/v1/read-models/bank/accounts").header(name, value).body(Body::empty()).unwrap();
        let found = api.send(request).await.problem();
        assert!(found.starts_with(problem), "{name}: {value}\n found: {found}\nwanted: {problem}");
    }
    let request = Request::get("/v1/projections/bank/compare").header("prefer", "handling=strict, colour=red");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        "400 invalid_header: Prefer: Invalid preferences given with handling=strict. Invalid preferences: colour=red"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_allowed_is_answered_with_those_that_are() {
    let api = TestApi::start().await;
    for (method, path, allowed) in [
        ("DELETE", "/v1/events", "POST,GET,HEAD"),
        ("POST", "/v1/modules/a", "PUT,GET,HEAD"),
        ("PATCH", "/v1/read-models/a/b", "GET,HEAD,OPTIONS"),
        ("GET", "/v1/read-models/a/b/query", "POST"),
    ] {
        let answer = api.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        let problem = match path.starts_with("/v1/read-models") {
            false => format!("405 method_not_allowed: {path} does not take {method}"),
            true => format!("405 PGRST117: Unsupported HTTP method: {method}"),
        };
        assert_eq!(answer.problem(), problem);
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
        let title = format!("\n{}. HTTP status {}.\n", code.title(), code.status().as_u16());
        for part in [&format!("# `{}`\n", code.as_str()), &title, "## Cause", "## Way out"] {
            assert!(page.contains(part), "docs/errors/{}.md lacks {part}", code.as_str());
        }
    }
}
