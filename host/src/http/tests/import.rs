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
async fn lines_come_in_pieces_of_any_size() {
    let api = TestApi::start().await;
    let text: String = (0..300).map(line).collect::<String>() + "\n  \n" + line(300).trim_end();
    // Pieces that end within lines, and within characters.
    let pieces: Vec<_> = text.as_bytes().chunks(37).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let answer = import(&api, Body::from_stream(stream::iter(pieces))).await;
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
        ("{", "400 malformed_json: line 22: EOF while parsing an object at line 2 column 0"),
        (r#"{"type":"A","data":1}"#, "422 invalid_body: line 22: missing field `stream` at line 1 column 21"),
        (
            r#"{"stream":"s","type":"A","data":1,"id":845}"#,
            "422 invalid_body: line 22: id: invalid type: integer `845`, expected a formatted UUID string at line 1 column 42",
        ),
        (
            r#"{"stream":"s","type":"A","data":1,"id":""}"#,
            "422 invalid_body: line 22: id: UUID parsing failed: invalid length: found 0 at line 1 column 41",
        ),
        (
            r#"{"stream":"s","type":"A","data":1,"id":"00000000-0000-0000-0000-000000000000"}"#,
            "422 invalid_body: line 22: id: the nil UUID is not the id of an event; leave `id` out, or give each event",
        ),
        (
            r#"{"stream":"..","type":"A","data":1}"#,
            "422 invalid_body: line 22: stream: the stream name `..` cannot stand in a URL",
        ),
        (
            r#"{"stream":"","type":"A","data":1}"#,
            "422 invalid_body: line 22: stream: the stream name must not be empty",
        ),
        (
            r#"{"stream":"s","type":"A","data":1} x"#,
            "400 malformed_json: line 22: trailing characters at line 1 column 36",
        ),
        (
            r#"{"stream":"s","type":"A","data":"\ud800"}"#,
            "422 invalid_body: line 22: data: the JSON has a string that is not Unicode text: unexpected end of hex escape at line 1 column 8",
        ),
        (
            &format!(r#"{{"stream":"s","type":"A","data":{}{}}}"#, "[".repeat(128), "]".repeat(128)),
            "413 limit_exceeded: line 22: depth of the JSON of data: 128; the limit max_json_depth is 127",
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
        "413 limit_exceeded: bytes of data and metadata of line 22: 1002; the limit max_event_bytes is 1000"
    );
    let endless = "x".repeat(20_000);
    let answer = import(&api, with(&endless)).await;
    assert_eq!(
        answer.problem(),
        "413 limit_exceeded: line 22 has more than 9192 bytes, which no event within max_event_bytes needs"
    );
    let mut bytes = with("").into_bytes();
    bytes[100] = 0xff;
    assert!(import(&api, bytes).await.problem().starts_with("400 malformed_json: line 1: "));
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
        assert!(answer.problem().starts_with("409 event_id_taken: "), "{}", answer.problem());
        assert!(answer.problem().ends_with(difference), "{}", answer.problem());
        assert_eq!((&answer.json()["line"], &answer.json()["imported"]), (&json!(3), &json!(0)));
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
    let problem = "422 invalid_body: line 1: schema_version: the schema version 0 is not between 1 and 2147483647";
    assert!(answer.problem().starts_with(problem), "{}", answer.problem());
}
