use insta::assert_snapshot;

use super::*;

/// Two builds of projection `totals` that no host works on: 1 is active, at position 7; 2 is paused there.
async fn builds(api: &TestApi) {
    let descriptor = |columns: &[(&str, &str)]| {
        let column = |(name, column_type): &(&str, &str)| json!({"name": name, "type": column_type, "nullable": false});
        let columns: Vec<Value> = columns.iter().map(column).collect();
        let table = json!({"name": "sums", "columns": columns, "key": ["id"]});
        json!({"kind": "projection", "tables": [table], "all_types": true, "event_types": [], "categories": []})
    };
    let insert = "INSERT INTO gnomon.module_versions (module, version, digest, descriptor, component) VALUES ('totals', $1, $1::text, $2, '')";
    sqlx::raw_sql(
        "INSERT INTO gnomon.modules (name, kind) VALUES ('totals', 'projection');
         INSERT INTO gnomon.projections (name) VALUES ('totals')",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let old = descriptor(&[("id", "i64"), ("n", "decimal"), ("old", "text")]);
    let new = descriptor(&[("id", "i64"), ("n", "decimal"), ("more", "bool")]);
    for (version, descriptor) in [(1, old), (2, new)] {
        sqlx::query(insert).bind(version).bind(descriptor).execute(&api.pool).await.unwrap();
    }
    sqlx::raw_sql(
        "INSERT INTO gnomon.subscriptions (checkpoint) VALUES (7), (7);
         INSERT INTO gnomon.builds (build, projection, version, stage, work, role, activation)
         VALUES (1, 'totals', 1, 'live', 'paused', 'active', 'manual'), (2, 'totals', 2, 'live', 'paused', 'candidate', 'manual');
         CREATE SCHEMA build_1;
         CREATE TABLE build_1.sums (id bigint PRIMARY KEY, n numeric NOT NULL, old text NOT NULL);
         CREATE SCHEMA build_2;
         CREATE TABLE build_2.sums (id bigint PRIMARY KEY, n numeric NOT NULL, more boolean NOT NULL);
         INSERT INTO build_1.sums VALUES (1, 1.5, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 4, 'd');
         INSERT INTO build_2.sums VALUES (1, 1.5, true), (2, 12345678901234567890.25, true), (5, 5, false)",
    )
    .execute(&api.pool)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_are_compared_row_by_row() {
    let api = TestApi::start().await;
    builds(&api).await;
    let answer = api.get("/v1/projections/totals/compare?samples=1").await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_snapshot!(answer.text(), @r#"{"projection":"totals","position":7,"left":{"build":1,"version":1},"right":{"build":2,"version":2},"identical":false,"tables":[{"table":"sums","identical":false,"rows_left":4,"rows_right":3,"outcome":"compared","key":["id"],"columns":{"only_left":[{"column":"old","type":"text"}],"only_right":[{"column":"more","type":"bool"}],"retyped":[]},"added":1,"removed":2,"changed":1,"equal":1,"changed_columns":[{"column":"n","rows":1}],"samples":{"added":[{"id":5,"n":5,"more":false}],"removed":[{"id":3,"n":3,"old":"c"}],"changed":[{"columns":["n"],"before":{"id":2,"n":2,"old":"b"},"after":{"id":2,"n":12345678901234567890.25,"more":true}}]}}]}"#);
    let reversed = api.get("/v1/projections/totals/compare?left=2&right=1&samples=0").await.json();
    assert_eq!(
        (&reversed["left"], &reversed["right"]),
        (&json!({"build": 2, "version": 2}), &json!({"build": 1, "version": 1}))
    );
    assert_eq!((&reversed["tables"][0]["added"], &reversed["tables"][0]["removed"]), (&json!(2), &json!(1)));
    assert_eq!(reversed["tables"][0]["samples"], json!({"added": [], "removed": [], "changed": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_refused_says_why() {
    let api = TestApi::start().await;
    builds(&api).await;
    for (path, problem) in [
        ("nobody/compare", "404 projection_not_found: there is no projection `nobody`"),
        ("totals/compare?left=9", "404 build_not_found: projection `totals` has no build 9; it has 2, 1"),
        (
            "totals/compare?right=1",
            "409 nothing_to_compare: build 1 is on both sides; name another build as `left` or `right`",
        ),
        ("totals/compare?samples=101", "400 invalid_query: `samples` must be at most 100; it is 101"),
        (
            "totals/compare?sample=1",
            "400 invalid_query: query string: unknown parameter `sample`, expected one of `left`, `right`, `samples`",
        ),
    ] {
        assert_eq!(api.get(&format!("/v1/projections/{path}")).await.problem(), problem);
    }
    let after = async |change: &str| {
        sqlx::raw_sql(change).execute(&api.pool).await.unwrap();
        api.get("/v1/projections/totals/compare?right=2").await.problem()
    };
    assert_eq!(
        after("UPDATE gnomon.subscriptions SET checkpoint = 9 WHERE subscription = 1").await,
        "409 build_stopped: build 2 is paused at position 7, and build 1 has gone on to position 9; they can be \
         brought to one position when build 2 goes on"
    );
    assert_eq!(
        after("UPDATE gnomon.subscriptions SET checkpoint = 9; DROP SCHEMA build_2 CASCADE").await,
        "409 build_retired: tables were dropped before they were read (builds: 1, 2); list the builds and compare others"
    );
    assert_eq!(
        after("UPDATE gnomon.builds SET (stage, work, role, activation) = (NULL, NULL, NULL, NULL) WHERE build = 2")
            .await,
        "409 build_retired: build 2 is retired; its tables are dropped or about to be"
    );
    let problem = api.get("/v1/projections/totals/compare").await.problem();
    assert_eq!(
        problem,
        "409 nothing_to_compare: projection `totals` has no other build to compare build 1 with; deploy another version \
         of it, or rebuild it"
    );
    assert_eq!(
        after("UPDATE gnomon.builds SET role = 'candidate' WHERE role = 'active'").await,
        "409 nothing_to_compare: projection `totals` has no active build yet; name the builds to compare, `left` and \
         `right`"
    );
}

/// Another host holds a barrier on builds that no host works on: it does not end in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_barrier_times_out() {
    let api = TestApi::start().await;
    builds(&api).await;
    sqlx::raw_sql("UPDATE gnomon.subscriptions SET barrier_at = 7, barrier_until = clock_timestamp() + '1 hour'")
        .execute(&api.pool)
        .await
        .unwrap();
    let request = Request::get("/v1/projections/totals/compare").header("prefer", "wait=0").body(Body::empty());
    let answer = api.send(request.unwrap()).await;
    assert_eq!(
        answer.problem(),
        "503 barrier_timed_out: the builds did not come to one position within 0 s: build 1 is at 7, build 2 at 7; try \
         again, or wait longer"
    );
    assert_eq!((&answer.json()["left_checkpoint"], answer.header("retry-after")), (&json!(7), "1"));
}
