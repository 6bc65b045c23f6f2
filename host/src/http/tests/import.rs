use futures_util::stream;

use super::*;

pub(super) async fn import(api: &TestApi, body: impl Into<Body>) -> Answer {
    let request = Request::post("/v1/events").header(header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8");
    api.send(request.body(body.into()).unwrap()).await
}

fn line(number: usize) -> String {
    let id = uuid::Uuid::from_u128(number as u128 + 1);
    format!(
        "{{\"stream\":\"s-{}\",\"type\":\"A\",\"id\":\"{id}\",\"time\":\"2020-01-01T00:00:00Z\",\"data\":{number}}}\n",
        number % 3
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_in_chunks_of_any_size() {
    let api = TestApi::start().await;
    let text: String = (0..300).map(line).collect::<String>() + "\n  \n" + line(300).trim_end();
    // Chunks that end within lines, and within characters.
    let chunks: Vec<_> = text.as_bytes().chunks(37).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let answer = import(&api, Body::from_stream(stream::iter(chunks))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json(), json!({"imported": 301, "repeated": 0, "first_position": 1, "last_position": 301}));

    let again = import(&api, text).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json(), json!({"imported": 0, "repeated": 301, "first_position": null, "last_position": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_named_and_nothing_is_imported() {
    let api = TestApi::start().await;
    let with = |bad: &str| (0..20).map(line).collect::<String>() + "\n" + bad + "\n" + &line(20);
    for (bad, problem) in [
        ("{", "400 malformed_json: the text ends within an object at column 1"),
        ("stream,type,data", "400 malformed_json: the line must be a JSON object; it begins with `stream,type,data`"),
        ("[", "422 invalid_body: this is a JSON array; a line is a JSON object. Write each event in a line of its own"),
        (r#"[{"stream":"s"}]"#, "422 invalid_body: this is a JSON array; a line is a JSON object."),
        (
            r#"{"stream":"s","type":"A","data":1,"position":7,"part":0}"#,
            "422 invalid_body: part: the event is as upcasters make it; import events as they are in the log",
        ),
        (r#"{"type":"A","data":1}"#, "422 invalid_body: tags: the event has neither a stream nor a tag;"),
        (
            r#"{"stream":"s","type":"A","data":1,"id":845}"#,
            "422 invalid_body: id: a UUID in double quotes is expected, not the number 845",
        ),
        (
            r#"{"stream":"s","type":"A","data":1,"id":""}"#,
            "422 invalid_body: id: it is not a UUID: invalid length: found 0",
        ),
        (
            r#"{"stream":"s","type":"A","data":1,"id":"00000000-0000-0000-0000-000000000000"}"#,
            "422 invalid_body: id: the nil UUID is not the id of an event; leave `id` out, or give each event",
        ),
        (
            r#"{"stream":"..","type":"A","data":1}"#,
            "422 invalid_body: stream: the stream name `..` cannot stand in a URL",
        ),
        (r#"{"stream":"","type":"A","data":1}"#, "422 invalid_body: stream: the stream name must not be empty"),
        (r#"{"stream":"s","type":"A","data":1} x"#, "400 malformed_json: more text follows the JSON at column 36"),
        (
            r#"{"stream":"s","type":"A","data":"\ud800"}"#,
            "422 invalid_body: data: the JSON has a string that is not Unicode text: unexpected end of hex escape at line 1 column 8",
        ),
        (
            &format!(r#"{{"stream":"s","type":"A","data":{}{}}}"#, "[".repeat(128), "]".repeat(128)),
            "413 limit_exceeded: depth of the JSON of data: 128; the limit max_json_depth is 127",
        ),
    ] {
        let answer = import(&api, with(bad)).await;
        assert!(answer.problem().starts_with(problem), "{bad}\n found: {}\nwanted: {problem}", answer.problem());
        assert_eq!(answer.json()["line"], json!(22));
    }
    let large = format!(r#"{{"stream":"s","type":"A","data":"{}"}}"#, "x".repeat(1000));
    let answer = import(&api, with(&large)).await;
    assert_eq!(
        answer.problem(),
        "413 limit_exceeded: bytes of data and metadata of the event: 1002; the limit max_event_bytes is 1000"
    );
    assert_eq!(answer.json()["line"], json!(22));
    let endless = "x".repeat(100_000);
    let answer = import(&api, with(&endless)).await;
    assert_eq!(
        answer.problem(),
        "413 limit_exceeded: the line has more than 58440 bytes, which no event within max_event_bytes needs"
    );
    let mut bytes = with("").into_bytes();
    bytes[100] = 0xff;
    let answer = import(&api, bytes).await;
    assert!(answer.problem().starts_with("400 malformed_json: "), "{}", answer.problem());
    assert_eq!(answer.json()["line"], json!(1));
    let answer = import(&api, (0..3000).map(line).collect::<String>()).await;
    assert!(answer.problem().contains("the limit max_import_bytes is 200000"), "{}", answer.problem());
    assert!(api.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_with_other_content_stops_the_import_there() {
    let api = TestApi::start().await;
    import(&api, line(3)).await;
    let text = (0..10).map(line).collect::<String>().replace("\"data\":3", "\"data\":4");
    let answer = import(&api, text).await;
    assert!(answer.problem().starts_with("409 event_id_taken: "), "{}", answer.problem());
    assert_eq!((answer.json()["line"].clone(), answer.json()["imported"].clone()), (json!(4), json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lines_with_one_id_are_one_event_only_if_they_say_the_same() {
    let api = TestApi::start().await;
    let with =
        |fields: &str| format!(r#"{{"stream":"s","id":"0190f3c2-0000-7000-8000-000000000001",{fields}}}"#) + "\n";
    let first = with(r#""type":"A","data":{"n":1}"#);
    for (second, difference) in [
        (with(r#""type":"A","data":{"n":2}"#), "has other data"),
        (with(r#""type":"B","data":{"n":1}"#), "has another type"),
        (with(r#""type":"A","data":{"n":1},"metadata":{}"#), "has other metadata"),
        (with(r#""type":"A","data":{"n":1},"time":"2020-01-01T00:00:00Z""#), "has another time"),
        (first.replace("\"s\"", "\"s2\""), "belongs to another stream"),
    ] {
        let answer = import(&api, line(1) + &first + &second).await;
        let wanted = format!(
            "two lines have the event id 0190f3c2-0000-7000-8000-000000000001, and the event of the first {difference}"
        );
        assert_eq!(answer.problem(), format!("422 duplicate_event_id: {wanted}"));
        let members = ["first_line", "line", "imported"].map(|name| answer.json()[name].clone());
        assert_eq!(members, [json!(2), json!(3), json!(0)]);
        assert!(api.is_empty().await);
    }
    let answer = import(&api, line(1) + &first + &first).await;
    assert_eq!((&answer.json()["imported"], &answer.json()["repeated"]), (&json!(2), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_has_its_schema_version() {
    let api = TestApi::start().await;
    let lines = r#"{"stream":"s","type":"A","schema_version":2,"data":1}
{"stream":"s","type":"A","data":2}
"#;
    assert_eq!(import(&api, lines).await.status, StatusCode::CREATED);
    let events = api.get("/v1/events").await.json();
    let versions: Vec<&Value> =
        events["events"].as_array().unwrap().iter().map(|event| &event["schema_version"]).collect();
    assert_eq!(versions, [&json!(2), &json!(1)]);
    let answer = import(&api, r#"{"stream":"s","type":"A","schema_version":0,"data":1}"#).await;
    let problem = "422 invalid_body: schema_version: the schema version 0 is not between 1 and 2147483647";
    assert!(answer.problem().starts_with(problem), "{}", answer.problem());
}

/// A transaction has at most 5,000 lines: those before the one that fails stay, and the problem says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_an_earlier_transaction_leaves_that_in_the_log() {
    let api = TestApi::start().await;
    let short = |number: usize| format!("{{\"stream\":\"s\",\"type\":\"A\",\"data\":{number}}}\n");
    let with_id = |data: &str| {
        format!("{{\"stream\":\"s\",\"type\":\"A\",\"id\":\"0190f3c2-0000-7000-8000-000000000001\",\"data\":{data}}}\n")
    };
    // A blank line ends a transaction.
    let text = short(1) + &with_id("1") + "\n" + &short(2) + &with_id("2");
    let answer = import(&api, text).await;
    assert_eq!(
        answer.problem(),
        "409 event_id_taken: event id 0190f3c2-0000-7000-8000-000000000001 is taken: version 2 of stream `s` (position 2) has it \
         and has other data. The 2 events of earlier lines are in the log"
    );
    let members = ["line", "imported", "last_position"].map(|name| answer.json()[name].clone());
    assert_eq!(members, [json!(5), json!(2), json!(2)]);
    assert_eq!(api.get("/v1/events").await.json()["head"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn byte_order_marks_are_passed_over() {
    let api = TestApi::start().await;
    let text = format!("\u{feff}{}\u{feff}{}\u{feff}\n", line(0), line(1));
    // The mark of the first line comes in three pieces.
    let pieces: Vec<_> = text.as_bytes().chunks(1).map(|byte| Ok::<_, std::io::Error>(byte.to_vec())).collect();
    let answer = import(&api, Body::from_stream(stream::iter(pieces))).await;
    assert_eq!((answer.status, &answer.json()["imported"]), (StatusCode::CREATED, &json!(2)), "{:?}", answer.text());
    let body = format!("\u{feff}{}", json!({"events": [event("A")]}));
    assert_eq!(api.post("/v1/streams/a-1/events", body).await.status, StatusCode::CREATED);
    let utf_16 = b"\xff\xfe{\0}\0".to_vec();
    let problem = "400 malformed_json: the body is UTF-16; it must be UTF-8";
    assert_eq!(api.post("/v1/streams/a-1/events", utf_16).await.problem(), problem);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn encoded(api: &TestApi, path: &str, media_type: &str, encoding: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, media_type).header("content-encoding", encoding);
    api.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_be_compressed_with_gzip_and_limits_count_what_comes_out() {
    let api = TestApi::start().await;
    let (ndjson, json_type, stream) = ("application/x-ndjson", "application/json", "/v1/streams/a-1/events");
    for encoding in ["gzip", "GZIP", "x-gzip"] {
        let answer = encoded(&api, "/v1/events", ndjson, encoding, gzip(&line(0))).await;
        assert!(answer.status.is_success(), "{:?}", answer.text());
    }
    let body = json!({"events": [event("A")]}).to_string();
    assert_eq!(encoded(&api, stream, json_type, "gzip", gzip(&body)).await.status, StatusCode::CREATED);
    assert_eq!(encoded(&api, stream, json_type, "identity", body.clone().into()).await.status, StatusCode::CREATED);

    let large = gzip(&" ".repeat(30_000));
    assert!(large.len() < 1000);
    let found = encoded(&api, stream, json_type, "gzip", large).await.problem();
    let limit = "413 body_too_large: the body of the request has 30000 bytes; the limit max_body_bytes is 20000";
    assert_eq!(found, limit);
    let large = gzip(&"\n".repeat(300_000));
    let found = encoded(&api, "/v1/events", ndjson, "gzip", large).await.problem();
    assert!(found.contains("the limit max_import_bytes is 200000"), "{found}");

    for encoding in ["br", "deflate", "gzip, gzip", "zstd", ""] {
        let answer = encoded(&api, "/v1/events", ndjson, encoding, line(1).into()).await;
        let problem =
            format!("415 unsupported_media_type: Content-Encoding must be gzip, or be left out; it is `{encoding}`");
        assert_eq!((answer.problem(), answer.header("accept-encoding")), (problem, "gzip"));
    }
    let found = encoded(&api, stream, json_type, "gzip", body.into()).await.problem();
    assert!(found.starts_with("422 invalid_body: the body of the request cannot be read to its end: "), "{found}");
    let mut cut = gzip(&line(1).repeat(10));
    cut.truncate(cut.len() - 10);
    let found = encoded(&api, "/v1/events", ndjson, "gzip", cut).await.problem();
    assert!(found.starts_with("422 invalid_body: the body of the request cannot be read to its end: "), "{found}");
    // A file of several members is one file, as `cat` of compressed files makes it.
    let members = [gzip(&line(5)), gzip(&line(6))].concat();
    let answer = encoded(&api, "/v1/events", ndjson, "gzip", members.clone()).await;
    assert_eq!(answer.json()["imported"], json!(2), "{}", answer.text());
    let found = encoded(&api, "/v1/events", ndjson, "gzip", [members, b"and more".to_vec()].concat()).await.problem();
    assert!(found.starts_with("422 invalid_body: the body of the request cannot be read to its end: "), "{found}");
    let request = Request::post(stream).header(header::CONTENT_TYPE, "application/json");
    let found = api.send(request.body(Body::from(gzip("{}"))).unwrap()).await.problem();
    assert_eq!(found, "400 malformed_json: the body is compressed with gzip, but there is no `Content-Encoding: gzip`");
    assert_eq!(api.get("/v1/events").await.json()["head"], json!(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charset_other_than_utf_8_is_refused_by_name() {
    let api = TestApi::start().await;
    let body = json!({"events": [event("A")]}).to_string();
    for (path, media_type) in [
        ("/v1/events", "application/x-ndjson"),
        ("/v1/streams/a-1/events", "application/json"),
        ("/v1/events", "application/json"),
    ] {
        for charset in ["charset=iso-8859-1", "a=b; Charset=\"ISO-8859-1\""] {
            let request = Request::post(path).header(header::CONTENT_TYPE, format!("{media_type}; {charset}"));
            let found = api.send(request.body(Body::from(body.clone())).unwrap()).await.problem();
            let problem = "415 unsupported_media_type: Content-Type: the charset must be utf-8, or be left out; it is `iso-8859-1`";
            assert_eq!(found.to_lowercase(), problem.to_lowercase());
        }
    }
    assert!(api.is_empty().await);
    for charset in ["charset=utf-8", "charset=\"UTF-8\"", "charset=UTF8", "profile=x"] {
        let request = Request::post("/v1/streams/a-1/events");
        let request = request.header(header::CONTENT_TYPE, format!("application/json;{charset}"));
        assert_eq!(
            api.send(request.body(Body::from(body.clone())).unwrap()).await.status,
            StatusCode::CREATED,
            "{charset}"
        );
    }
}

/// What one host's log answers is imported by another in its order, and by the same host as repeats.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported() {
    let (one, other) = (TestApi::start().await, TestApi::start().await);
    let mut lines: String = (0..10).map(line).collect();
    lines += "{\"stream\":\"s-1\",\"type\":\"B\",\"schema_version\":2,\"data\":{ \"x\": 1.10 },\"metadata\":{\"by\":\"ada\"}}\n";
    assert_eq!(import(&one, lines).await.status, StatusCode::CREATED);
    let page = one.get("/v1/events").await.json();
    let exported: String = page["events"].as_array().unwrap().iter().map(|event| format!("{event}\n")).collect();

    let again = import(&one, exported.clone()).await;
    assert_eq!((again.status, &again.json()["repeated"]), (StatusCode::OK, &json!(11)), "{:?}", again.text());
    // The log there has events before, so the positions are others.
    other.append("s-1", json!({"events": [event("A")]})).await;
    let answer = import(&other, exported).await;
    assert_eq!((answer.status, &answer.json()["imported"]), (StatusCode::CREATED, &json!(11)), "{:?}", answer.text());
    let imported = other.get("/v1/events?after=1").await.json();
    let kept = |page: &Value| -> Vec<Value> {
        let events = page["events"].as_array().unwrap().clone();
        let kept = ["stream", "id", "type", "schema_version", "time", "data", "metadata"];
        events.iter().map(|event| kept.map(|name| event[name].clone()).to_vec().into()).collect()
    };
    assert_eq!(kept(&imported), kept(&page));
    let versions = |page: &Value| page["events"][1]["version"].clone();
    assert_eq!((versions(&page), versions(&imported)), (json!(1), json!(2)));
}

/// On one thread, and from memory: what does not give way is seen by nobody, and ends with nobody.
#[tokio::test]
async fn an_import_of_many_lines_lets_others_have_their_turn_and_ends_with_its_client() {
    let api = TestApi::start().await;
    let blank = "\n".repeat(200_000);
    let turns = async |lines: String| {
        let mut importing = std::pin::pin!(import(&api, lines));
        let mut turns = 0;
        loop {
            tokio::select! {
                biased;
                answer = &mut importing => return (turns, Some(answer)),
                () = tokio::task::yield_now() => turns += 1,
            }
            if turns == 500 {
                // As when its client leaves.
                return (turns, None);
            }
        }
    };
    // Each line is looked at twice, in groups of 256.
    assert!(turns(blank).await.1.is_none(), "it gave way at most 500 times");
    let (_, answer) = turns("\n".repeat(1000)).await;
    assert_eq!(answer.unwrap().status, StatusCode::OK);
    assert!(api.is_empty().await);
}
