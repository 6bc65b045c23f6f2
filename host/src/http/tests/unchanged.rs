//! `ETag` and `If-None-Match`: who has an answer is told so without reading it, and never wrongly.

use super::{
    readers::lock,
    rows::{ReadModel, row},
    *,
};
use crate::{
    builds::{
        Work,
        tests::{rows, step},
    },
    read_model::Value as Cell,
};

async fn ask(api: &TestApi, query: &str, headers: &[(&str, &str)], tag: &str) -> Answer {
    let mut all = headers.to_vec();
    all.push(("if-none-match", tag));
    api.rows("GET", query, &all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_answer_is_told_so_without_a_row_being_read() {
    let model = ReadModel::of_many().await;
    // One that keeps no answers itself, and another host.
    let without = ServerSettings {
        answers: crate::queries::CacheSettings { cache_bytes: 0, ..Default::default() },
        ..ServerSettings::default()
    };
    let keeps_none = TestHost::start_with(&model.builds.database, without).await;
    let hosts = [model.api(HttpSettings::default()).await, TestApi::of(keeps_none, HttpSettings::default())];
    let long = format!("id=in.({})", vec!["1"; 3000].join(","));
    let requests: [(&str, &[(&str, &str)]); 7] = [
        ("order=id", &[]),
        ("limit=2", &[("prefer", "count=exact")]),
        ("limit=2", &[("accept", "text/csv")]),
        ("limit=2", &[("range", "0-0")]),
        ("select=at", &[("prefer", "timezone=Asia/Tokyo")]),
        ("id=eq.1", &[("accept", "application/vnd.pgrst.object+json")]),
        (&long, &[]),
    ];
    let mut tags = Vec::new();
    for (query, headers) in requests {
        let answers = [hosts[0].rows("GET", query, headers).await, hosts[1].rows("GET", query, headers).await];
        let tag = answers[0].header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && tag.len() == 36, "{tag}");
        assert_eq!(answers[1].header("etag"), tag);
        assert_eq!(answers.each_ref().map(|answer| answer.header("gnomon-version")), ["1", "1"]);
        assert!(!tags.contains(&tag), "two requests have one tag");
        tags.push(tag);
    }
    let _locked = lock(&model.builds).await;
    for ((query, headers), tag) in requests.into_iter().zip(&tags) {
        for host in &hosts {
            for known in [tag.clone(), format!("\"x\", {tag} , W/\"y\"")] {
                let answer = ask(host, query, headers, &known).await;
                assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{query}");
                for (name, value) in [
                    ("etag", tag.as_str()),
                    ("gnomon-position", "1"),
                    ("gnomon-build", "1"),
                    ("gnomon-version", "1"),
                    ("cache-control", "no-cache"),
                    ("vary", "Accept, Prefer, Range, Gnomon-As-Of"),
                    ("gnomon-session", "s2-0.totals=1"),
                    ("content-length", ""),
                ] {
                    assert_eq!(answer.header(name), value, "{name}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_or_other_rows_are_never_said_to_be_unchanged() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    let tag = api.rows("GET", "limit=2", &[]).await.header("etag").to_owned();
    let others: [(&str, &[(&str, &str)]); 7] = [
        ("limit=3", &[]),
        ("limit=2", &[("prefer", "count=exact")]),
        ("limit=2", &[("prefer", "count=planned")]),
        ("limit=2", &[("accept", "text/csv")]),
        ("limit=2", &[("accept", "application/vnd.pgrst.array+json;nulls=stripped")]),
        ("limit=2", &[("range", "1-")]),
        ("limit=2", &[("prefer", "timezone=Asia/Tokyo")]),
    ];
    for (query, headers) in others {
        let answer = ask(&api, query, headers, &tag).await;
        assert!([200, 206].contains(&answer.status.as_u16()) && !answer.body.is_empty(), "{query} {headers:?}");
    }
    // Nobody has the answer to a query that is wrong.
    assert_eq!(ask(&api, "nothing=eq.1", &[], &tag).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask(&api, "limit=2", &[("prefer", "handling=strict, x")], &tag).await.status, StatusCode::BAD_REQUEST);
    // What depends on the time of day has no tag.
    assert_eq!(api.rows("GET", "at=lt.now", &[]).await.header("etag"), "");
}

/// `If-None-Match: *` is RFC 9110's, section 13.1.2: whatever answer there is, the client has one.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_any_answer_is_told_only_whether_there_is_one() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    let whole = api.rows("GET", "limit=2", &[]).await;
    for method in ["GET", "HEAD"] {
        let answer = api.rows(method, "limit=2", &[("if-none-match", " * ")]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{method}");
        for name in ["etag", "gnomon-position", "cache-control", "vary", "content-location"] {
            assert_eq!(answer.header(name), whole.header(name), "{method} {name}");
        }
        for name in ["content-type", "content-length", "content-range"] {
            assert_eq!(answer.header(name), "", "{method} {name}");
        }
    }
    // Also where an answer has no tag, or is no page.
    let arrow: &[(&str, &str)] = &[("accept", "application/vnd.apache.arrow.stream")];
    let object: &[(&str, &str)] = &[("accept", "application/vnd.pgrst.object+json")];
    for (query, headers) in [("at=lt.now", &[][..]), ("limit=2", arrow), ("id=eq.1", object), ("id=eq.100", &[])] {
        let answer = ask(&api, query, headers, "*").await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{query} {headers:?}");
    }
    // A request that would be refused is refused.
    let beyond: &[(&str, &str)] = &[("range", "500-600"), ("prefer", "count=exact")];
    for (query, headers, status) in [
        ("nothing=eq.1", &[][..], StatusCode::BAD_REQUEST),
        ("id=eq.100", object, StatusCode::NOT_ACCEPTABLE),
        ("order=id", beyond, StatusCode::RANGE_NOT_SATISFIABLE),
    ] {
        assert_eq!(ask(&api, query, headers, "*").await.status, status, "{query} {headers:?}");
    }
    // `*` stands alone.
    assert_eq!(ask(&api, "limit=2", &[], "\"x\", *").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_which_rows_change_is_seen() {
    let ReadModel { builds, build, tables, lease } = ReadModel::of_many().await;
    builds.append(20).await;
    let api = TestApi::of(TestHost::start(&builds.database).await, HttpSettings::default());
    let query = "select=id,t&order=id&limit=2";
    let mut tags: Vec<String> = Vec::new();
    let mut seen = async |what: &str, changed: bool, position: &str| {
        let last = tags.last().cloned().unwrap_or_default();
        let answer = ask(&api, query, &[], &last).await;
        assert_eq!(answer.status == StatusCode::OK, changed, "{what}: {}", answer.status);
        assert_eq!(answer.header("gnomon-position"), position, "{what}");
        // None of the older ones is right either.
        for old in tags.iter().rev().skip(usize::from(!changed)) {
            assert_eq!(ask(&api, query, &[], old).await.status, StatusCode::OK, "{what}");
        }
        tags.push(answer.header("etag").to_owned());
        let unconditional = api.rows("GET", query, &[]).await;
        assert_eq!(unconditional.header("etag"), tags.last().unwrap(), "{what}");
        tags.dedup();
        unconditional
    };
    seen("the first", true, "1").await;
    builds.commit(lease, &tables, step(1, 2), rows(&tables, [row(1, Some("other"))])).await.unwrap();
    seen("a row changes", true, "2").await;
    builds.commit(lease, &tables, step(2, 5), rows(&tables, [])).await.unwrap();
    seen("events that change no row", false, "5").await;
    builds.commit(lease, &tables, step(5, 5), rows(&tables, [row(1, Some("again"))])).await.unwrap();
    seen("a retry at the same position", true, "5").await;
    let mut deleted = rows(&tables, []);
    deleted.delete(0, vec![Cell::I64(1)]);
    builds.commit(lease, &tables, step(5, 6), deleted).await.unwrap();
    let answer = seen("a row is deleted", true, "6").await;
    assert_eq!(answer.json()[0]["id"], json!(2));

    // Another build with the same rows, and back.
    let (next, next_tables) = ReadModel::next(&builds, 2).await;
    builds.live(next).await;
    let next_lease = builds.lease(next).await;
    let same = (2..=15).map(|id| row(id, Some(&id.to_string())));
    builds.commit(next_lease, &next_tables, step(0, 6), rows(&next_tables, same)).await.unwrap();
    builds.set(next, |kept| kept.work = Work::Paused).await;
    builds.activate(next, &next_tables).await;
    seen("a swap", true, "6").await;
    builds.activate(build, &tables).await;
    // The rows of before are here again, and their tag with them: it is right.
    let back = api.rows("GET", query, &[]).await;
    assert_eq!((back.header("gnomon-build"), back.json()[0]["id"].clone()), ("1", json!(2)));
    assert_eq!(ask(&api, query, &[], back.header("etag")).await.status, StatusCode::NOT_MODIFIED);
}
