//! What HTTP adds to queries on read models, as PostgREST does it.

use std::time::Duration;

use super::{
    readers::lock,
    rows::{ReadModel, row},
    *,
};

fn ids(answer: &Answer) -> Vec<i64> {
    answer.json().as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_limits_and_offsets_are_one_page() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    for (query, range, count, status, content_range, found) in [
        ("", "0-1", "", 200, "0-1/*", 1..=2),
        ("", "0-", "", 200, "0-14/*", 1..=15),
        ("", "10-100", "", 200, "10-14/*", 11..=15),
        ("", "0-0", "count=exact", 206, "0-0/15", 1..=1),
        ("", "0-14", "count=exact", 200, "0-14/15", 1..=15),
        ("limit=3", "0-1", "", 200, "0-1/*", 1..=2),
        ("limit=3&offset=2", "0-9", "count=exact", 206, "2-4/15", 3..=5),
        ("limit=3&offset=2", "4-9", "", 200, "4-4/*", 5..=5),
        ("offset=12", "3-", "", 200, "12-14/*", 13..=15),
        // No ranges of rows.
        ("limit=2", "bytes=0-1", "", 200, "0-1/*", 1..=2),
        ("limit=2", "5-6,8-9", "", 200, "0-1/*", 1..=2),
    ] {
        let headers = [("range", range), ("range-unit", "items"), ("prefer", count)];
        let answer = api.rows("GET", &format!("select=id&{query}"), &headers).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-range")),
            (status, content_range),
            "{query} {range}"
        );
        assert_eq!(ids(&answer), found.collect::<Vec<i64>>(), "{query} {range}");
    }
    let empty = api.rows("GET", "id=eq.99", &[("range", "0-1")]).await;
    assert_eq!((empty.status.as_u16(), empty.header("content-range"), empty.text()), (200, "*/*", "[]"));
    for (query, range, details, content_range) in [
        ("", "1-0", "The lower boundary must be lower than or equal to the upper boundary in the Range header.", ""),
        ("limit=2", "2-3", "Limit should be greater than or equal to zero.", ""),
        ("", "100-199", "An offset of 100 was requested, but there are only 15 rows.", "*/15"),
        ("id=eq.99", "1-2", "An offset of 1 was requested, but there are only 0 rows.", "*/0"),
    ] {
        let answer = api.rows("GET", query, &[("range", range), ("prefer", "count=exact")]).await;
        assert_eq!(answer.problem(), "416 PGRST103: Requested range not satisfiable", "{query} {range}");
        assert_eq!(answer.json()["details"], json!(details));
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("proxy-status"), "PostgREST; error=PGRST103");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_of_a_head_are_those_of_a_get_and_no_row_is_read() {
    let model = ReadModel::of_many().await;
    // Each row is larger than an answer may be.
    let api = model.api(HttpSettings { max_answer_bytes: 20, ..HttpSettings::default() }).await;
    assert_eq!(api.rows("GET", "limit=1", &[]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let api = model.api(HttpSettings::default()).await;
    let object = "application/vnd.pgrst.object+json";
    for (query, accept, prefer, status) in [
        ("", "*/*", "", 200),
        ("limit=2&offset=3", "*/*", "count=exact", 206),
        ("offset=15", "*/*", "count=exact", 206),
        ("id=gt.3&limit=2", "text/csv", "count=exact, handling=strict", 206),
        ("id=eq.3", object, "", 200),
        ("limit=0", "*/*", "count=exact", 206),
    ] {
        let headers = [("accept", accept), ("prefer", prefer), ("accept-profile", "public")];
        let (mut get, mut head) = (api.rows("GET", query, &headers).await, api.rows("HEAD", query, &headers).await);
        assert_eq!((get.status.as_u16(), head.status.as_u16(), head.body.len()), (status, status, 0), "{query}");
        for answer in [&mut get, &mut head] {
            for name in ["x-request-id", "content-length"] {
                answer.headers.remove(name);
            }
        }
        // Where the next page begins is in the last row.
        for name in ["gnomon-next", "link"] {
            get.headers.remove(name);
        }
        assert_eq!(get.headers, head.headers, "{query}");
    }
    let head = api.rows("HEAD", "limit=2", &[("range", "5-4")]).await;
    assert_eq!((head.status.as_u16(), head.header("content-range"), head.header("content-length")), (200, "0-1/*", ""));
    for (query, headers, status) in [
        ("offset=99", ("prefer", "count=exact"), 416),
        ("id=lt.3", ("accept", object), 406),
        ("select=nothing", ("accept", "*/*"), 400),
    ] {
        let head = api.rows("HEAD", query, &[headers]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (status, 0), "{query}");
    }
    let small = model.api(HttpSettings { max_answer_bytes: 20, max_rows: 10, ..HttpSettings::default() }).await;
    let head = small.rows("HEAD", "", &[("prefer", "count=exact")]).await;
    assert_eq!((head.status.as_u16(), head.header("content-range")), (206, "0-9/15"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_or_estimated() {
    let model = ReadModel::of_many().await;
    let table: String =
        sqlx::query_scalar("SELECT format('build_%s.sums', build) FROM gnomon.builds WHERE role = 'active'")
            .fetch_one(&model.builds.pool)
            .await
            .unwrap();
    // Postgres knows that there are fifteen rows.
    sqlx::raw_sql(&format!("ALTER TABLE {table} SET (autovacuum_enabled = off); ANALYZE {table}"))
        .execute(&model.builds.pool)
        .await
        .unwrap();
    let api = model.api(HttpSettings::default()).await;
    let few = model.api(HttpSettings { max_rows: 10, ..HttpSettings::default() }).await;
    let fewer = model.api(HttpSettings { max_rows: 3, ..HttpSettings::default() }).await;
    for (api, query, prefer, status, range) in [
        (&api, "", "count=planned", 200, "0-14/15"),
        (&api, "limit=2&offset=3", "count=planned", 206, "3-4/15"),
        (&api, "id=eq.3", "count=planned", 200, "0-0/1"),
        (&api, "", "count=estimated", 200, "0-14/15"),
        (&api, "id=lt.9&limit=2", "count=estimated", 206, "0-1/8"),
        (&few, "", "count=estimated", 206, "0-9/15"),
        (&few, "id=lt.8&id=gt.2", "count=estimated", 200, "0-4/5"),
        (&fewer, "id=lt.8", "count=exact", 206, "0-2/7"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = api.rows(method, query, &[("prefer", prefer)]).await;
            let found = (answer.status.as_u16(), answer.header("content-range"), answer.header("preference-applied"));
            assert_eq!(found, (status, range, prefer), "{method} {query}");
        }
    }
    // What Postgres expects is not what is there: a condition on several columns.
    let condition = "and=(id.lt.8,id.gt.2,t.neq.x,b.is.null)";
    let planned = fewer.rows("GET", condition, &[("prefer", "count=planned")]).await;
    let estimated = fewer.rows("GET", &format!("{condition}&id=neq.5"), &[("prefer", "count=estimated")]).await;
    let total = |answer: &Answer| answer.header("content-range").split_once('/').unwrap().1.parse::<u64>().unwrap();
    assert!(planned.status.is_success() && total(&planned) > 0, "{:?}", planned.headers);
    // There are no more than three: they are counted.
    assert_eq!((total(&estimated), estimated.header("content-range")), (2, "0-1/2"));
    // A plan is of its time, so nothing else is said to be the same as this answer.
    assert_eq!((planned.header("etag"), estimated.header("etag").is_empty()), ("", false));
    // As many as a page may have are counted as well, and one more are not.
    for (query, is_exact) in [("id=lte.10", true), ("id=lte.11", false)] {
        let answer = few.rows("GET", query, &[("prefer", "count=estimated")]).await;
        assert_eq!(!answer.header("etag").is_empty(), is_exact, "{query}");
    }
    let beyond = api.rows("GET", "offset=99", &[("prefer", "count=planned")]).await;
    assert_eq!(beyond.json()["details"], json!("An offset of 99 was requested, but there are only 15 rows."));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_as_lines_with_commas() {
    let texts = [Some("plain"), Some("a,\"b\" \\ \n(c)"), None, Some(""), Some("é"), Some(" x ")];
    let model = ReadModel::of((1..).zip(texts).map(|(id, text)| row(id, text))).await;
    let api = model.api(HttpSettings::default()).await;
    let csv = async |query: &str| api.rows("GET", query, &[("accept", "text/unknowntype, text/csv")]).await;
    let all = csv("select=id,t,b,at,doc&order=id").await;
    assert_eq!(all.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(all.header("content-length"), all.body.len().to_string());
    assert_eq!((all.status.as_u16(), all.header("content-range")), (200, "0-5/*"));
    let lines = [
        "id,t,b,at,doc",
        "1,plain,,2013-01-01T01:00:00Z,",
        "2,\"a,\"\"b\"\" \\ \n(c)\",t,2013-01-01T02:00:00Z,\"{\"\"a\"\": null, \"\"b\"\": [1, \"\"x\"\"]}\"",
        "3,,,2013-01-01T03:00:00Z,",
        "4,\"\",t,2013-01-01T04:00:00Z,",
        "5,é,,2013-01-01T05:00:00Z,",
        "6,\" x \",t,2013-01-01T06:00:00Z,",
    ];
    assert_eq!(all.text(), lines.join("\n"));
    assert_eq!(csv("select=t:id,id:t&id=eq.1").await.text(), "t,id\n1,plain");
    assert_eq!(csv("select=at,id&id=eq.99").await.text(), "at,id\n");
    let head = api.rows("HEAD", "", &[("accept", "text/csv")]).await;
    assert_eq!((head.header("content-type"), head.body.len()), ("text/csv; charset=utf-8", 0));
    for (query, names) in [
        ("", "id,t,b,at,doc"),
        ("select=*", "id,t,b,at,doc"),
        ("select=id,t,*", "id,t,id,t,b,at,doc"),
        ("select=%22a,b%22:id,t", "\"a,b\",t"),
    ] {
        assert_eq!(csv(&format!("limit=0&{query}")).await.text(), format!("{names}\n"), "{query}");
    }
    // The limits are those of every answer.
    let small = model.api(HttpSettings { max_answer_bytes: 60, ..HttpSettings::default() }).await;
    let problem = small.rows("GET", "", &[("accept", "text/csv")]).await.problem();
    assert!(problem.starts_with("413 answer_too_large: ") && problem.contains("with 2 of its rows"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_null_are_left_out() {
    let model = ReadModel::of([row(1, None), row(2, Some("x"))]).await;
    let api = model.api(HttpSettings::default()).await;
    let list = "application/vnd.pgrst.array+json;nulls=stripped";
    let object = "application/vnd.pgrst.object+json;nulls=stripped";
    for (query, accept, text) in [
        ("select=id,t,b", list, r#"[{"id":1},{"id":2,"t":"x","b":true}]"#),
        ("select=doc&id=eq.2", list, r#"[{"doc":{"b":[1,"x"]}}]"#),
        ("select=t&id=eq.1", list, "[{}]"),
        ("id=eq.9", list, "[]"),
        ("select=id,t&id=eq.1", object, r#"{"id":1}"#),
    ] {
        let answer = api.rows("GET", query, &[("accept", accept)]).await;
        assert_eq!(
            (answer.text(), answer.header("content-type")),
            (text, &*format!("{accept}; charset=utf-8")),
            "{query}"
        );
    }
    let several = api.rows("GET", "", &[("accept", object)]).await;
    assert_eq!(several.problem(), "406 PGRST116: Cannot coerce the result to a single JSON object");
    assert_eq!(several.json()["details"], json!("The result contains 2 rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn instants_are_shown_in_the_zone_of_the_client() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    for (prefer, applied, at) in [
        ("timezone=Europe/Berlin", "timezone=Europe/Berlin", "2013-01-01T02:00:00+01:00"),
        (
            "count=exact, timezone=America/St_Johns",
            "count=exact, timezone=America/St_Johns",
            "2012-12-31T21:30:00-03:30",
        ),
        ("timezone=Europe/London", "timezone=Europe/London", "2013-01-01T01:00:00Z"),
        ("timezone=utc", "timezone=utc", "2013-01-01T01:00:00Z"),
        ("timezone=Nowhere/City", "", "2013-01-01T01:00:00Z"),
        ("timezone=", "", "2013-01-01T01:00:00Z"),
        ("handling=lenient, timezone=x'; --", "handling=lenient", "2013-01-01T01:00:00Z"),
        ("", "", "2013-01-01T01:00:00Z"),
    ] {
        // Twice: also from what is kept.
        for _ in 0..2 {
            let answer = api.rows("GET", "select=at&id=eq.1", &[("prefer", prefer)]).await;
            assert_eq!(
                (answer.json(), answer.header("preference-applied")),
                (json!([{"at": at}]), applied),
                "{prefer}"
            );
        }
    }
    // A time without a zone is one of it.
    let berlin = [("prefer", "timezone=Europe/Berlin")];
    let found = api.rows("GET", "select=id&at=lt.2013-01-01%2004:00", &berlin).await;
    assert_eq!(ids(&found), [1, 2]);
    assert_eq!(ids(&api.rows("GET", "select=id&at=lt.2013-01-01%2004:00", &[]).await), [1, 2, 3]);
    let strict = api.rows("GET", "", &[("prefer", "handling=strict, timezone=Nowhere, other")]).await;
    assert_eq!(strict.problem(), "400 PGRST122: Invalid preferences given with handling=strict");
    assert_eq!(strict.json()["details"], json!("Invalid preferences: timezone=Nowhere, other"));
    // An error of Postgres in that transaction leaves nothing to the next query.
    for _ in 0..10 {
        assert_eq!(api.rows("GET", "at=lt.never", &berlin).await.json()["code"], json!("22007"));
    }
    assert_eq!(api.rows("GET", "select=at&id=eq.1&limit=5", &[]).await.json(), json!([{"at": "2013-01-01T01:00:00Z"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_shown_by_a_host_that_is_told_to() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings { plans: true, ..HttpSettings::default() }).await;
    let plan = async |accept: &str, query: &str| api.rows("GET", query, &[("accept", accept)]).await;
    let json = plan("application/vnd.pgrst.plan+json", "id=eq.1").await;
    assert_eq!(json.header("content-type"), "application/vnd.pgrst.plan+json; for=\"application/json\"; charset=utf-8");
    assert_eq!((json.header("content-range"), json.header("etag"), json.header("gnomon-position")), ("", "", "1"));
    assert!(json.json()[0]["Plan"]["Total Cost"].as_f64().unwrap() > 0.0, "{}", json.text());
    assert!(!json.text().contains("Actual"), "{}", json.text());
    let text = plan("application/vnd.pgrst.plan; for=\"text/csv\"; options=analyze|verbose", "id=lt.4").await;
    assert_eq!(
        text.header("content-type"),
        "application/vnd.pgrst.plan+text; for=\"text/csv\"; options=analyze|verbose; charset=utf-8"
    );
    assert!(text.text().contains("(actual ") && text.text().contains("Output: "), "{}", text.text());
    assert_eq!(text.header("content-length"), text.body.len().to_string());
    let refused = plan("application/vnd.pgrst.plan; options=wal", "").await;
    assert!(refused.problem().starts_with("400 22023: EXPLAIN option WAL requires ANALYZE"), "{}", refused.problem());
    let wrong = plan("application/vnd.pgrst.plan", "nothing=eq.1").await;
    assert!(wrong.problem().starts_with("400 42703: "), "{}", wrong.problem());
    assert_eq!(plan("application/vnd.pgrst.plan; for=\"text/xml\"", "").await.status, StatusCode::NOT_ACCEPTABLE);

    // Times and sizes have their limits here too.
    let few = HttpSettings { plans: true, max_answer_bytes: 20, ..HttpSettings::default() };
    let few = model.api(few).await.rows("GET", "", &[("accept", "application/vnd.pgrst.plan")]).await;
    assert!(few.problem().starts_with("413 answer_too_large: "), "{}", few.problem());
    let soon = HttpSettings { plans: true, query_timeout: Duration::from_millis(300), ..HttpSettings::default() };
    let soon = model.api(soon).await;
    let _locked = lock(&model.builds).await;
    for (method, headers) in [
        ("GET", [("accept", "application/vnd.pgrst.plan; options=analyze"), ("prefer", "")]),
        ("GET", [("accept", "text/csv"), ("prefer", "timezone=Asia/Tokyo")]),
        ("HEAD", [("accept", "*/*"), ("prefer", "count=exact")]),
        ("GET", [("accept", "*/*"), ("prefer", "count=planned")]),
    ] {
        let answer = soon.rows(method, "select=id", &headers).await;
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{method} {headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_shows_no_plans_unless_it_is_told_to() {
    let api = ReadModel::of_many().await.api(HttpSettings::default()).await;
    let answer = api.rows("GET", "", &[("accept", "application/vnd.pgrst.plan+json")]).await;
    assert_eq!(
        answer.problem(),
        "406 PGRST107: None of these media types are available: application/vnd.pgrst.plan+json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_say_where_they_are_and_what_changes_them() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings::default()).await;
    let answer = api.rows("GET", "select=id,t&limit=2&id=gt.1&id=lt.9", &[("accept-profile", "totals")]).await;
    for (name, value) in [
        ("content-location", "/v1/read-models/totals/sums?id=gt.1&id=lt.9&limit=2&select=id%2Ct"),
        ("content-profile", "totals"),
        ("vary", "Accept, Prefer, Range, Gnomon-As-Of"),
        ("cache-control", "no-cache"),
        ("content-type", "application/json; charset=utf-8"),
        ("gnomon-session", "s2-0.totals=1"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    // It leads to the same rows.
    let again = api.get(answer.header("content-location")).await;
    assert_eq!((&again.body, again.header("content-profile")), (&answer.body, ""));
    let under = Request::get("/sub/v1/read-models/totals/sums").header("x-forwarded-prefix", "/sub");
    let under = api.send(under.body(Body::empty()).unwrap()).await;
    assert_eq!(under.header("content-location"), "/sub/v1/read-models/totals/sums");
    let ignored = api.rows("GET", "limit=1", &[("content-profile", "shop")]).await;
    assert_eq!(ignored.status, StatusCode::OK);
    let options = Request::builder().method("OPTIONS").uri("/v1/read-models/totals/sums").body(Body::empty()).unwrap();
    let options = api.send(options).await;
    assert_eq!((options.status.as_u16(), options.header("allow"), options.body.len()), (200, "OPTIONS,GET,HEAD", 0));
    let options = Request::builder().method("OPTIONS").uri("/v1/read-models/totals/sum").body(Body::empty()).unwrap();
    let options = api.send(options).await.json();
    assert_eq!(options["message"], json!("Could not find the table 'totals.sum' in the schema cache"));
    assert_eq!(options["hint"], json!("Perhaps you meant the table 'totals.sums'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_may_be_sent_as_a_body() {
    let model = ReadModel::of_many().await;
    let api = model.api(HttpSettings { max_body_bytes: 4 * 1024 * 1024, ..HttpSettings::default() }).await;
    let path = "/v1/read-models/totals/sums/query";
    let ask = async |body: Value| api.post(path, body.to_string()).await;
    let list: Vec<String> = (2..40_000).map(|id| id.to_string()).collect();
    let list = format!("in.({})", list.join(","));
    let answer = ask(json!({"select": "id", "id": [list, "lt.9"], "order": "id.desc", "limit": 3})).await;
    assert_eq!((answer.status.as_u16(), ids(&answer)), (200, vec![8, 7, 6]));
    assert_eq!((answer.header("content-range"), answer.header("content-location")), ("0-2/*", ""));
    // The same as by a URL.
    let (by_url, by_body) = (
        api.rows("GET", "select=id,t&t=eq.1%262%25+", &[]).await,
        ask(json!({"select": "id,t", "t": "eq.1&2% "})).await,
    );
    assert_eq!((by_url.status, &by_url.body), (by_body.status, &by_body.body));
    assert_eq!(by_url.header("content-location"), by_body.header("content-location"));
    let request = Request::post(path).header("content-type", "application/json").header("accept", "text/csv");
    let request = request.header("prefer", "count=exact").header("range", "5-6");
    let csv = api.send(request.body(Body::from(r#"{"select": "id", "limit": 2}"#)).unwrap()).await;
    assert_eq!((csv.status.as_u16(), csv.text(), csv.header("content-range")), (206, "id\n1\n2", "0-1/15"));
    for (body, problem) in [
        (json!({"id": 5}), "400 PGRST100: "),
        (json!({"limit": 1.5}), "422 invalid_body: "),
        (json!(["select"]), "422 invalid_body: "),
        (json!({"nothing": "eq.1"}), "400 42703: "),
    ] {
        let found = ask(body).await.problem();
        assert!(found.starts_with(problem), "{found}");
    }
    let large = ask(json!({"id": format!("eq.{}", "1".repeat(1024 * 1024))})).await;
    assert!(large.problem().starts_with("413 body_too_large: "), "{}", large.problem());
    assert_eq!((&large.json()["limit"], &large.json()["max"]), (&json!("max_posted_query_bytes"), &json!(1024 * 1024)));
    let small = model.api(HttpSettings { max_body_bytes: 100, ..HttpSettings::default() }).await;
    let large = small.post(path, json!({"id": format!("eq.{}", "1".repeat(100))}).to_string()).await;
    assert_eq!(large.json()["limit"], json!("max_body_bytes"));
}
