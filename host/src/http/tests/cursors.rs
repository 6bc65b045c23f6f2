//! Pages that follow each other by cursors.

use super::{readers::texts, *};

#[tokio::test(flavor = "multi_thread")]
async fn each_full_page_tells_where_the_next_one_begins() {
    let builds = texts(&[10; 5]).await;
    let api = TestApi::of(TestHost::start(&builds.database).await, HttpSettings::default());
    let first = "/v1/read-models/totals/sums?select=id&order=id.desc&limit=2";
    let mut path = first.to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        pages.push(answer.json());
        let (next, link) = (answer.header("gnomon-next").to_owned(), answer.header("link").to_owned());
        if next.is_empty() {
            assert_eq!(link, "");
            break;
        }
        path = format!("{first}&cursor={next}");
        assert_eq!(link, format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(pages, [json!([{"id": 4}, {"id": 3}]), json!([{"id": 2}, {"id": 1}]), json!([{"id": 0}])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_followed_says_so_if_it_is_asked() {
    let builds = texts(&[5_000, 5_000]).await;
    let api = TestApi::of(TestHost::start(&builds.database).await, HttpSettings::default());
    let path = "/v1/read-models/totals/sums?select=id&limit=1&order=";
    for (query, next) in [("id", true), ("id&cursor=", true), ("t", false), ("id&offset=1", false)] {
        let answer = api.get(&format!("{path}{query}")).await;
        assert_eq!((answer.status, !answer.header("gnomon-next").is_empty()), (StatusCode::OK, next), "{query}");
    }
    let answer = api.get("/v1/read-models/totals/sums?select=id&limit=9&order=id").await;
    assert_eq!(answer.header("gnomon-next"), "", "the page is not full");
    for (query, message) in [
        ("t&cursor=", "the query has no cursor"),
        ("id&cursor=&offset=1", "the query has no cursor"),
        ("id&cursor=x", "the parameter \"cursor\" is not a cursor"),
    ] {
        let problem = api.get(&format!("{path}{query}")).await.problem();
        assert_eq!(problem, format!("400 PGRST100: {message}"), "{query}");
    }
    let next = api.get(&format!("{path}id")).await.header("gnomon-next").to_owned();
    let problem = api.get(&format!("{path}id.desc&cursor={next}")).await.problem();
    assert_eq!(problem, "400 PGRST100: the cursor is of another query");
}
