//! Read models as Parquet and Arrow over HTTP. What the files hold, the tests of `queries` show.

use axum::http::Version;

use super::{
    rows::{MANY, ReadModel},
    *,
};

const PARQUET: &str = "application/vnd.apache.parquet";
const ARROW: &str = "application/vnd.apache.arrow.stream";
/// The end of a stream of Arrow.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_columns_has_the_headers_of_its_position_and_all_rows() {
    let model = ReadModel::of_many().await;
    // A page would have two rows.
    let api = model.api(HttpSettings { max_rows: 2, max_answer_bytes: 10, ..HttpSettings::default() }).await;
    let headers = [("accept", PARQUET), ("gnomon-min-position", "1"), ("prefer", "wait=5, timezone=Asia/Tokyo")];
    let answer = api.rows("GET", "select=id,t&id=gt.1&order=id", &headers).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert!(answer.body.starts_with(b"PAR1") && answer.body.ends_with(b"PAR1"));
    for (name, value) in [
        ("content-type", PARQUET),
        ("gnomon-position", "1"),
        ("gnomon-build", "1"),
        ("gnomon-max-rows", ""),
        ("content-range", ""),
        ("etag", ""),
        ("preference-applied", "timezone=Asia/Tokyo"),
        ("vary", "Accept, Prefer, Range, Gnomon-As-Of"),
        ("content-location", "/v1/read-models/totals/sums?id=gt.1&order=id&select=id%2Ct"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(answer.body).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), MANY - 1);

    let path = "/v1/read-models/totals/sums/query";
    let posted = Request::post(path).header("content-type", "application/json").header("accept", ARROW);
    let posted = api.send(posted.body(Body::from(r#"{"select": "id", "limit": 3}"#)).unwrap()).await;
    assert_eq!((posted.status, posted.header("content-type")), (StatusCode::OK, ARROW));
    assert!(posted.body.ends_with(&END));
    let head = api.rows("HEAD", "id=gt.1", &[("accept", ARROW)]).await;
    assert_eq!(
        (head.status, head.header("content-type"), head.header("gnomon-position")),
        (StatusCode::OK, ARROW, "1")
    );
    assert!(head.body.is_empty());
    let range = api.rows("GET", "select=id&order=id", &[("accept", PARQUET), ("range", "3-5")]).await;
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(range.body).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_in_columns_is_refused_in_the_form_of_postgrest() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    for (query, headers, status, code) in [
        ("select=id,id", [("accept", PARQUET), ("prefer", "")], 400, "PGRST127"),
        ("cursor=", [("accept", PARQUET), ("prefer", "")], 400, "PGRST100"),
        ("", [("accept", PARQUET), ("prefer", "count=exact")], 400, "PGRST127"),
        ("t=eq", [("accept", ARROW), ("prefer", "")], 400, "PGRST100"),
        ("select=t::int", [("accept", ARROW), ("prefer", "")], 200, ""),
        ("select=doc-%3E%3Eb::int", [("accept", ARROW), ("prefer", "")], 400, "22P02"),
        ("", [("accept", "application/vnd.apache.arrow.file"), ("prefer", "")], 406, "PGRST107"),
        ("", [("accept", ARROW), ("gnomon-min-position", "99")], 422, ""),
    ] {
        let answer = api.rows("GET", query, &headers).await;
        if status == 422 {
            let problem = answer.problem();
            assert!(problem.contains("position_beyond_head"), "{problem}");
            continue;
        }
        assert_eq!(answer.status.as_u16(), status, "{query}: {:?}", answer.body);
        if status != 200 {
            let body = answer.json();
            assert_eq!(body["code"], code, "{query}");
            assert!(
                body["message"].is_string() && body.get("details").is_some() && body.get("hint").is_some(),
                "{body}"
            );
            assert!(code != "PGRST127" || body["hint"].is_string(), "{body}");
        }
    }
    // An older client cannot tell a stream that broke off from a whole one.
    let old = |accept: &str| {
        let request = Request::get("/v1/read-models/totals/sums").version(Version::HTTP_10).header("accept", accept);
        api.send(request.body(Body::empty()).unwrap())
    };
    let refused = old(ARROW).await.json();
    assert_eq!((&refused["status"], &refused["code"]), (&json!(400), &json!("PGRST127")));
    assert!(refused["hint"].as_str().unwrap().contains("proxy_http_version 1.1"), "{refused}");
    assert_eq!(old(PARQUET).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_are_bounded_until_they_are_read_and_keep_out_nobody_else() {
    let model = ReadModel::of_many().await;
    let work = WorkSettings { max_exports: 1, ..WorkSettings::default() };
    let api = model.api(HttpSettings { work, ..HttpSettings::default() }).await;
    let export = async || {
        let request = Request::get("/v1/read-models/totals/sums").header("accept", PARQUET);
        api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let first = export().await;
    assert_eq!(first.status(), StatusCode::OK);
    let refused = api.rows("GET", "", &[("accept", ARROW)]).await;
    assert!(refused.problem().starts_with("503 overloaded: the host has 1 exports under way"), "{}", refused.problem());
    assert_eq!(refused.json()["limit"], "max_exports");
    assert_eq!(api.rows("GET", "", &[]).await.status, StatusCode::OK);
    // A read that is refused leaves at once.
    drop(first);
    assert_eq!(api.rows("GET", "select=id,id", &[("accept", PARQUET)]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(export().await.status(), StatusCode::OK);
}
