//! Tags, event queries and append conditions.

use insta::assert_snapshot;

use super::{import::import, *};

fn tagged(event_type: &str, tags: &[&str]) -> Value {
    json!({"type": event_type, "tags": tags, "data": {}})
}

fn found(answer: &Answer) -> Vec<u64> {
    let body = answer.json();
    let events = body["events"].as_array().unwrap_or_else(|| panic!("{body}"));
    events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
}

async fn query(api: &TestApi, parameters: &str, items: Value) -> Answer {
    api.post(&format!("/v1/events/query{parameters}"), json!({ "items": items }).to_string()).await
}

/// Courses that students subscribe to, in positions 1 to 5.
async fn enrolments() -> TestApi {
    let api = TestApi::start().await;
    let events = [
        tagged("CourseDefined", &["course:c1"]),
        tagged("CourseDefined", &["course:c2"]),
        tagged("StudentSubscribed", &["course:c1", "student:s1"]),
        tagged("StudentSubscribed", &["student:s1", "course:c2"]),
        tagged("TermEnded", &["term"]),
    ];
    let answer = api.post("/v1/events", json!({"appends": [{ "events": events }]}).to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.text());
    api
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_stay_with_their_event() {
    let api = TestApi::start().await;
    let events = [tagged("A", &["course:c1", "a,b", "course:c1", "é \"x\""]), tagged("B", &[]), event("C")];
    assert_eq!(api.append("a-1", json!({ "events": events })).await.status, StatusCode::CREATED);
    for path in ["/v1/events", "/v1/streams/a-1/events"] {
        let page = api.get(path).await.json();
        assert_eq!(page["events"][0]["tags"], json!(["course:c1", "a,b", "é \"x\""]), "each once, in order: {path}");
        assert!(page["events"][1].get("tags").is_none() && page["events"][2].get("tags").is_none(), "{path}");
    }
    // What is exported is imported with its tags, and is a repeat where it was.
    let page = api.get("/v1/events").await.json();
    let lines: String = page["events"].as_array().unwrap().iter().map(|event| format!("{event}\n")).collect();
    assert_eq!(import(&api, lines.clone()).await.json()["repeated"], json!(3));
    let other = TestApi::start().await;
    assert_eq!(import(&other, lines).await.json()["imported"], json!(3));
    assert_eq!(other.get("/v1/events").await.json()["events"][0]["tags"], page["events"][0]["tags"]);
    assert_eq!(found(&query(&other, "", json!([{"tags": ["a,b"]}])).await), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_other_tags_is_another_event() {
    let api = TestApi::start().await;
    let id = "0193e0a0-0000-7000-8000-000000000001";
    let with = |tags: Value| json!({"events": [{"id": id, "type": "A", "tags": tags, "data": 1}]});
    let first = api.append("a-1", with(json!(["x", "y"]))).await;
    let again = api.append("a-1", with(json!(["y", "x", "x"]))).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK), "the order makes no difference");
    for tags in [json!(["x"]), json!([]), json!(["x", "y", "z"])] {
        let problem = api.append("a-1", with(tags)).await.problem();
        assert!(problem.starts_with("409 event_id_taken: ") && problem.ends_with("has other tags"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_without_a_stream_go_into_those_of_their_first_tags() {
    let api = TestApi::start().await;
    let events = [
        tagged("A", &["course:c1", "student:s1"]),
        tagged("B", &["course:c1"]),
        tagged("C", &["student:s1", "course:c1"]),
        tagged("D", &["course:c1"]),
    ];
    let answer = api.post("/v1/events", json!({"appends": [{ "events": events }]}).to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(
        answer.json(),
        json!({"appends": [
            {"stream": "course-c1", "first_version": 1, "last_version": 2, "first_position": 1, "last_position": 2},
            {"stream": "student-s1", "first_version": 1, "last_version": 1, "first_position": 3, "last_position": 3},
            {"stream": "course-c1", "first_version": 3, "last_version": 3, "first_position": 4, "last_position": 4},
        ]})
    );
    // With a stream, the tags do not choose it; a null is the same as none.
    let mixed = json!({"appends": [
        {"stream": "enrolment-7", "expected_version": 0, "events": [tagged("E", &["course:c1"])]},
        {"stream": null, "expected_version": "any", "events": [tagged("F", &["vip"])]},
        {"stream": "course-c1", "expected_version": 3, "events": [event("G")]},
    ]});
    let answer = api.post("/v1/events", mixed.to_string()).await.json();
    let streams: Vec<_> = answer["appends"].as_array().unwrap().iter().map(|append| &append["stream"]).collect();
    assert_eq!(streams, ["enrolment-7", "vip", "course-c1"]);

    let line = r#"{"type":"A","tags":["shop:1:2"],"data":1}"#;
    assert_eq!(import(&api, line).await.status, StatusCode::CREATED);
    assert_eq!(api.get("/v1/events?after=7").await.json()["events"][0]["stream"], json!("shop-1:2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_tags_and_streams_is_named() {
    let api = TestApi::start().await;
    let without = |append: Value| json!({ "appends": [append] });
    for (body, problem) in [
        (
            without(json!({"events": [tagged("A", &["x"]), tagged("B", &["x", ""])]})),
            "422 invalid_body: appends[0].events[1].tags[1]: the tag must not be empty",
        ),
        (
            without(json!({"events": [tagged("A", &["x\n"])]})),
            r#"422 invalid_body: appends[0].events[0].tags[0]: the tag "x\n" contains the control character '\n'"#,
        ),
        (
            without(json!({"events": [tagged("A", &["x"]), event("B")]})),
            "422 invalid_body: appends[0].events[1].tags: the event has neither a stream nor a tag; without a stream, it goes into that of its first tag",
        ),
        (
            without(json!({"expected_version": 0, "events": [tagged("A", &["x"])]})),
            "422 invalid_body: appends[0].expected_version: events without a stream expect no version of one;",
        ),
        (
            without(json!({"expected_version": "no_stream", "events": [tagged("A", &["x"])]})),
            "422 invalid_body: appends[0].expected_version: ",
        ),
        (
            without(json!({"events": [tagged("A", &["..", "x"])]})),
            "422 invalid_body: appends[0].events[0].tags[0]: the stream name `..` cannot stand in a URL",
        ),
        (without(json!({"events": []})), "422 empty_append: "),
        (
            without(json!({"events": [{"type": "A", "tags": "x", "data": 1}]})),
            "422 invalid_body: appends[0].events[0].tags: an array is expected, not the text \"x\"",
        ),
        (
            without(json!({"events": [{"type": "A", "tags": [7], "data": 1}]})),
            "422 invalid_body: appends[0].events[0].tags[0]: a string is expected, not the number 7",
        ),
        (
            json!({"appends": [
                {"events": [tagged("A", &["a:1"])]}, {"stream": "a-1", "expected_version": 1, "events": [event("B")]},
            ]}),
            "422 duplicate_stream: ",
        ),
        (without(json!({"events": [tagged("A", &[&"x".repeat(257)])]})), "413 limit_exceeded: bytes of "),
    ] {
        let found = api.post("/v1/events", body.to_string()).await.problem();
        assert!(found.starts_with(problem), "{body}\n found: {found}\nwanted: {problem}");
    }
    let many: Vec<String> = (0..33).map(|number| format!("t{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = api.append("a-1", json!({"events": [tagged("A", &many)]})).await.problem();
    assert_eq!(found, "413 limit_exceeded: tags of event 0 of stream `a-1`: 33; the limit max_event_tags is 32");
    let long = api.append("a-1", json!({"events": [tagged("A", &["x", &"y".repeat(257)])]})).await.problem();
    assert_eq!(
        long,
        "413 limit_exceeded: bytes of a tag of event 0 of stream `a-1`: 257; the limit max_tag_bytes is 256"
    );
    for (line, problem) in [
        (r#"{"type":"A","tags":[],"data":1}"#, "422 invalid_body: tags: the event has neither a stream nor a tag"),
        (r#"{"type":"A","tags":["x",""],"data":1}"#, "422 invalid_body: tags[1]: the tag must not be empty"),
        (
            r#"{"type":"A","tags":["."],"data":1}"#,
            "422 invalid_body: tags[0]: the stream name `.` cannot stand in a URL",
        ),
    ] {
        let answer = import(&api, format!("\n{line}")).await;
        assert!(answer.problem().starts_with(problem), "{line}: {}", answer.problem());
        assert_eq!(answer.json()["line"], json!(2));
    }
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_finds_what_matches_one_of_its_items() {
    let api = enrolments().await;
    for (items, wanted) in [
        (json!([{}]), vec![1, 2, 3, 4, 5]),
        (json!([{"tags": ["course:c1"]}]), vec![1, 3]),
        (json!([{"tags": ["course:c2", "student:s1", "course:c2"]}]), vec![4]),
        (json!([{"types": ["StudentSubscribed", "TermEnded"]}]), vec![3, 4, 5]),
        (json!([{"types": ["CourseDefined"], "tags": ["course:c1"]}, {"tags": ["student:s1"]}]), vec![1, 3, 4]),
        (json!([{"tags": ["course:c1"]}, {"types": ["TermEnded"]}]), vec![1, 3, 5]),
        (json!([{"types": [], "tags": []}]), vec![1, 2, 3, 4, 5]),
        (json!([{"tags": ["nobody"]}]), vec![]),
        (json!([{"types": ["StudentSubscribed"], "tags": ["term"]}]), vec![]),
    ] {
        let page = query(&api, "", items.clone()).await;
        assert_eq!((page.status, found(&page)), (StatusCode::OK, wanted), "{items}");
        assert_eq!(
            (&page.json()["next"], &page.json()["head"]),
            (&json!(5), &json!(5)),
            "the whole log was searched: {items}"
        );
    }
    // A list in the query string is one item.
    for (parameters, wanted) in [
        ("tags=course:c1", vec![1, 3]),
        ("tags=student:s1,course:c2", vec![4]),
        ("tags=%22student:s1%22&types=StudentSubscribed", vec![3, 4]),
        ("tags=course:c1&category=student", vec![]),
        ("tags=course:c2&category=student", vec![4]),
        ("tags=student:s1&direction=backward&limit=1", vec![4]),
    ] {
        assert_eq!(found(&api.get(&format!("/v1/events?{parameters}")).await), wanted, "{parameters}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_query_say_how_far_they_have_searched() {
    let api = enrolments().await;
    let subscribed = json!([{"types": ["StudentSubscribed"], "tags": ["student:s1"]}]);
    let pages = async |parameters: &str| {
        let page = query(&api, parameters, subscribed.clone()).await;
        (found(&page), page.json()["next"].clone(), page.json()["head"].clone())
    };
    assert_eq!(pages("?limit=1").await, (vec![3], json!(3), json!(5)));
    assert_eq!(pages("?limit=1&after=3").await, (vec![4], json!(4), json!(5)));
    assert_eq!(pages("?limit=1&after=4").await, (vec![], json!(5), json!(5)));
    assert_eq!(pages("?after=5").await, (vec![], json!(5), json!(5)));
    assert_eq!(pages("?direction=backward&limit=1").await, (vec![4], json!(4), json!(5)));
    assert_eq!(pages("?direction=backward&after=4").await, (vec![3], Value::Null, json!(5)));
    for after in [6, u64::MAX] {
        let beyond = query(&api, &format!("?after={after}"), subscribed.clone()).await.problem();
        let problem = format!("409 position_beyond_head: the reader is at position {after}, but the log ends at 5");
        assert!(beyond.starts_with(&problem), "{beyond}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_event_queries_are_refused() {
    let api = TestApi::start().await;
    let items: Vec<Value> = (0..129).map(|_| json!({})).collect();
    let names: Vec<String> = (0..1025).map(|number| format!("n{number}")).collect();
    for (body, problem) in [
        (json!({}), "422 invalid_body: missing field `items`"),
        (json!({"items": {}}), "422 invalid_body: items: an array is expected, not an object"),
        (
            json!({"items": []}),
            "422 invalid_body: items: a query without items matches nothing; `{\"items\": [{}]}` matches every event",
        ),
        (json!({"items": [[]]}), "422 invalid_body: items[0]: an object is expected, not an array"),
        (
            json!({"items": [{"tag": ["x"]}]}),
            "422 invalid_body: items[0].tag: unknown field `tag`, expected `types` or `tags`",
        ),
        (json!({"items": [{}], "after": 1}), "422 invalid_body: after: unknown field `after`, expected `items`"),
        (json!({"items": [{}, {"tags": ["x", ""]}]}), "422 invalid_body: items[1].tags[1]: the tag must not be empty"),
        (json!({"items": [{"types": [""]}]}), "422 invalid_body: items[0].types[0]: the event type must not be empty"),
        (
            json!({ "items": items }),
            "413 limit_exceeded: items of the event query: 129; the limit max_query_items is 128",
        ),
        (
            json!({"items": [{ "types": names[..1000] }, { "tags": names[1000..] }]}),
            "413 limit_exceeded: types and tags of the event query: 1025; the limit max_query_names is 1024",
        ),
    ] {
        let found = api.post("/v1/events/query", body.to_string()).await.problem();
        assert!(found.starts_with(problem), "{body}\n found: {found}\nwanted: {problem}");
    }
    for (parameters, problem) in [
        ("?limit=0", "400 invalid_query: `limit` must be 1 to 50 (max_page); it is 0"),
        ("?after=head", "400 invalid_query: `after=head` is for followers only"),
        ("?types=A", "400 invalid_query: query string: unknown parameter `types`, expected one of `after`, `limit`,"),
    ] {
        let found = query(&api, parameters, json!([{}])).await.problem();
        assert!(found.starts_with(problem), "{parameters}: {found}");
    }
    let request = Request::post("/v1/events/query").body(Body::from("{}")).unwrap();
    let found = api.send(request).await.problem();
    assert_eq!(found, "415 unsupported_media_type: Content-Type must be application/json; it is none");
    for (parameters, problem) in [
        ("tags=", "400 invalid_query: `tags`: the tag must not be empty"),
        ("tags=a,", "400 invalid_query: `tags`: the tag must not be empty"),
        ("tags=%22a", "400 invalid_query: `tags`: the quotes of \"a do not end before a comma;"),
        ("tags=a%0Ab", r#"400 invalid_query: `tags`: the tag "a\nb" contains the control character '\n'"#),
    ] {
        let found = api.get(&format!("/v1/events?{parameters}")).await.problem();
        assert!(found.starts_with(problem), "{parameters}: {found}");
    }
    let long = api.get(&format!("/v1/events?tags={}", "x".repeat(257))).await.problem();
    assert!(long.starts_with("413 limit_exceeded: bytes of a tag of item 0 of the event query: 257;"), "{long}");
}

fn condition(items: Value, after: Value) -> Value {
    json!({"fail_if_events_match": { "items": items }, "after": after})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_is_made_if_its_condition_holds() {
    let api = enrolments().await;
    let subscriptions = json!([{"types": ["StudentSubscribed"], "tags": ["course:c1"]}]);
    let id = "0193e0a0-0000-7000-8000-000000000001";
    let subscribe = |id: Option<&str>, condition: Value| {
        let event = json!({"id": id, "type": "StudentSubscribed", "tags": ["course:c1", "student:s2"], "data": {}});
        json!({"events": [event], "condition": condition})
    };
    let refused = api.append("course-c1", subscribe(None, condition(subscriptions.clone(), json!(2)))).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let body = refused.json();
    let members = ["code", "position", "stream", "event_type", "type"].map(|name| body[name].clone());
    assert_eq!(
        members,
        ["append_condition_failed", "", "course-c1", "StudentSubscribed", "/errors/append_condition_failed"]
            .map(|text| if text.is_empty() { json!(3) } else { json!(text) })
    );
    for after in [Value::Null, json!(0)] {
        let refused = api.append("course-c1", subscribe(None, condition(subscriptions.clone(), after))).await.json();
        assert_eq!((&refused["code"], &refused["position"]), (&json!("append_condition_failed"), &json!(3)));
    }
    let body = subscribe(Some(id), condition(subscriptions.clone(), json!(5)));
    let made = api.append("course-c1", body.clone()).await;
    assert_eq!((made.status, &made.json()["last_position"]), (StatusCode::CREATED, &json!(6)), "{:?}", made.text());
    // The event itself matches now, but this is the same append.
    let again = api.append("course-c1", body).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, made.body));
    let late = api.append("course-c1", subscribe(None, condition(subscriptions.clone(), json!(5)))).await.json();
    assert_eq!((&late["code"], &late["position"]), (&json!("append_condition_failed"), &json!(6)));

    for after in [7, u64::MAX] {
        let beyond = api.append("course-c1", subscribe(None, condition(subscriptions.clone(), json!(after)))).await;
        assert_eq!(beyond.status, StatusCode::CONFLICT);
        let body = beyond.json();
        let members = ["code", "after", "head"].map(|name| body[name].clone());
        assert_eq!(members, [json!("position_beyond_head"), json!(after), json!(6)]);
    }
    // A condition that is null is none, and one beside an expected version holds as well.
    let both = json!({"expected_version": 4, "condition": condition(json!([{"tags": ["nobody"]}]), Value::Null), "events": [event("X")]});
    let conflict = api.append("course-c1", both).await.problem();
    assert!(conflict.starts_with("409 wrong_expected_version: "), "{conflict}");
    let none = api.append("course-c1", json!({"condition": null, "events": [event("X")]})).await;
    assert_eq!(none.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_guards_appends_to_several_streams() {
    let api = enrolments().await;
    let append = |after: u64| {
        let events = [tagged("TermBegan", &["term"]), tagged("CourseDefined", &["course:c3"])];
        let condition =
            condition(json!([{"tags": ["term"]}, {"types": ["CourseDefined"], "tags": ["course:c3"]}]), json!(after));
        json!({"appends": [{ "events": events }], "condition": condition}).to_string()
    };
    let problem = api.post("/v1/events", append(4)).await;
    assert_eq!(problem.status, StatusCode::CONFLICT);
    assert_eq!((&problem.json()["position"], &problem.json()["stream"]), (&json!(5), &json!("term")));
    assert_eq!(api.get("/v1/events").await.json()["head"], json!(5));
    assert_eq!(api.post("/v1/events", append(5)).await.status, StatusCode::CREATED);
    assert_eq!(api.post("/v1/events", append(5)).await.json()["position"], json!(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_conditions_are_refused() {
    let api = TestApi::start().await;
    for (condition, problem) in [
        (json!([]), "422 invalid_body: condition: an object is expected, not an array"),
        (json!({"after": 1}), "422 invalid_body: condition: missing field `fail_if_events_match`"),
        (
            json!({"fail_if_events_match": []}),
            "422 invalid_body: condition.fail_if_events_match: an object is expected, not an array",
        ),
        (
            json!({"fail_if_events_match": {"items": []}}),
            "422 invalid_body: condition.fail_if_events_match.items: a query without items matches nothing;",
        ),
        (
            json!({"fail_if_events_match": {"items": [{"tags": [""]}]}}),
            "422 invalid_body: condition.fail_if_events_match.items[0].tags[0]: the tag must not be empty",
        ),
        (
            condition(json!([{}]), json!(-1)),
            "422 invalid_body: condition.after: a whole number, 0 or more, is expected, not the number -1",
        ),
        (
            json!({"fail_if_events_match": {"items": [{}]}, "upto": 1}),
            "422 invalid_body: condition.upto: unknown field `upto`, expected `fail_if_events_match` or `after`",
        ),
        (
            condition(json!([{"tags": ["x".repeat(257)]}]), Value::Null),
            "413 limit_exceeded: bytes of a tag of item 0 of the event query: 257; the limit max_tag_bytes is 256",
        ),
    ] {
        let one = json!({"events": [event("A")], "condition": condition});
        let several = json!({"appends": [{"stream": "a-1", "events": [event("A")]}], "condition": condition});
        for (path, body) in [("/v1/streams/a-1/events", one), ("/v1/events", several)] {
            let found = api.post(path, body.to_string()).await.problem();
            assert!(found.starts_with(problem), "{path} {body}\n found: {found}\nwanted: {problem}");
        }
    }
    assert!(api.is_empty().await);
}

/// The problem as a whole, as readers of its page see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_fails_names_the_first_event() {
    let api = enrolments().await;
    let condition = condition(json!([{"tags": ["student:s1"]}]), Value::Null);
    let answer = api.append("a-1", json!({"events": [event("A")], "condition": condition})).await;
    assert_snapshot!(answer.pretty(), @r#"
    {
      "type": "/errors/append_condition_failed",
      "title": "An event that the append's condition rules out is in the log",
      "status": 409,
      "detail": "an event that the append's condition rules out is in the log: the `StudentSubscribed` of stream `course-c1` at position 3 is the first that matches its query",
      "code": "append_condition_failed",
      "position": 3,
      "stream": "course-c1",
      "event_type": "StudentSubscribed"
    }
    "#);
}

/// Reads server-sent events until there are as many ids as wanted.
async fn follow(api: &TestApi, parameters: &str, items: Value, last_event_id: Option<&str>, wanted: usize) -> String {
    let request = Request::post(format!("/v1/events/query{parameters}"))
        .header("accept", "text/event-stream")
        .header("content-type", "application/json");
    let request = match last_event_id {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    let request = request.body(Body::from(json!({ "items": items }).to_string())).unwrap();
    api.follow(request, wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_followed() {
    let api = enrolments().await;
    let student = json!([{"tags": ["student:s1"]}]);
    let text = follow(&api, "", student.clone(), None, 2).await;
    for part in ["\"position\":3,", "\"position\":4,", "\"tags\":[\"student:s1\",\"course:c2\"]"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("\"position\":5,"), "{text}");
    let text = follow(&api, "?after=1", student.clone(), Some("3"), 1).await;
    assert!(!text.contains("\"position\":3,") && text.contains("\"position\":4,"), "{text}");
    // No event matches; the id moves on all the same, without data.
    let text = follow(&api, "", json!([{"tags": ["nobody"]}]), None, 1).await;
    assert_eq!(text.trim_start_matches(':').trim(), "id: 5");
    let text = {
        let coming = follow(&api, "?after=5", student, None, 1);
        let appending = async { api.append("a-1", json!({"events": [tagged("New", &["student:s1"])]})).await };
        tokio::join!(coming, appending).0
    };
    assert!(text.contains("\"type\":\"New\""), "{text}");
    for (parameters, problem) in [
        ("?direction=backward", "400 invalid_query: the log is followed forward only"),
        ("?limit=1", "400 invalid_query: `limit` is for pages"),
        ("?upcast=true", "400 invalid_query: `upcast=true` is for pages"),
        ("?after=100", "409 position_beyond_head: "),
    ] {
        let request = Request::post(format!("/v1/events/query{parameters}"))
            .header("accept", "text/event-stream")
            .header("content-type", "application/json");
        let request = request.body(Body::from(json!({"items": [{}]}).to_string())).unwrap();
        let found = api.send(request).await.problem();
        assert!(found.starts_with(problem), "{parameters}: {found}");
    }
}
