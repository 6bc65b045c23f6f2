//! An answer that was kept is to its client as one that is read.

use super::{
    readers::{lock, texts},
    *,
};

#[tokio::test(flavor = "multi_thread")]
async fn status_headers_and_body_of_a_kept_answer_are_those_of_the_first_one() {
    let builds = texts(&[10, 20, 30]).await;
    let api = TestApi::of(TestHost::start(&builds.database).await, HttpSettings::default());
    let (list, object) = ("application/json", "application/vnd.pgrst.object+json");
    let requests = [
        ("order=id", list, "", 200),
        ("order=id&limit=2", list, "count=exact", 206),
        ("order=id&offset=1", list, "count=exact", 206),
        ("id=eq.1", object, "", 200),
        ("id=eq.9", list, "", 200),
        // What HTTP makes of an answer is made again.
        ("id=lt.9", object, "", 406),
        ("offset=9", list, "count=exact", 416),
    ];
    let ask = async |(query, accept, prefer, _): (&str, &str, &str, u16)| {
        let request = Request::get(format!("/v1/read-models/totals/sums?{query}"))
            .header(header::ACCEPT, accept)
            .header("prefer", prefer);
        let mut answer = api.send(request.body(Body::empty()).unwrap()).await;
        assert!(answer.headers.remove("x-request-id").is_some());
        (answer.status, answer.headers, answer.body)
    };
    let mut read = Vec::new();
    for request in requests {
        let answer = ask(request).await;
        assert_eq!(answer.0, request.3, "{request:?}");
        read.push(answer);
    }
    // Nobody can read a row.
    let _locked = lock(&builds).await;
    for (request, read) in requests.into_iter().zip(read) {
        assert_eq!(ask(request).await, read, "{request:?}");
    }
    let measures = api.get("/metrics").await;
    let bytes = measures.text().lines().find_map(|line| line.strip_prefix("gnomon_query_cache_bytes "));
    assert!(bytes.unwrap().parse::<f64>().unwrap() > 0.0, "{bytes:?}");
    assert!(measures.text().contains("\ngnomon_query_cache_max_bytes 67108864"), "--cache-bytes");
}
