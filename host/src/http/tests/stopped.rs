//! Builds that stand still, and views that hold them: what readers and operators are told.

use super::*;
use crate::{
    builds::{
        Activation, BuildError, Role, Stage, Work, WorkerReport, report,
        tests::{TestBuilds, step, writes},
    },
    event_log::Position,
    runtime::{FailureKind, ModuleFailure},
};

/// The error of a module at an event.
fn poison(position: u64) -> BuildError {
    let failure = ModuleFailure {
        position: Position(position),
        upcaster: None,
        kind: FailureKind::Refused,
        message: "Counted: it is poison".to_owned(),
        backtrace: Vec::new(),
    };
    BuildError::Module { failure, stream: "count-1".to_owned(), event_type: "Counted".to_owned() }
}

/// A build that has halted at position 8, at this stage.
async fn halted(builds: &TestBuilds, stage: Stage) -> crate::builds::BuildId {
    let (build, tables) = builds.build(1, &["n"]).await;
    builds.set(build, |kept| (kept.stage, kept.activation) = (stage, Activation::Manual)).await;
    let lease = builds.lease(build).await;
    builds.commit(lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    if stage == Stage::Live {
        builds.activate(build, &tables).await;
    }
    let mut worker = crate::postgres::begin(&builds.pool).await.unwrap();
    report(&mut worker, lease, &WorkerReport::Halted(poison(8))).await.unwrap();
    worker.commit().await.unwrap();
    build
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_on_a_projection_whose_first_build_has_stopped_says_where_and_why() {
    let builds = TestBuilds::create().await;
    let build = halted(&builds, Stage::Replaying).await;
    let api = TestApi::on(&builds.database).await;
    let problem = async || {
        let answer = api.get("/v1/read-models/totals/sums").await;
        let request =
            Request::get("/v1/read-models/totals/sums").header("gnomon-min-position", 0).header("prefer", "wait=0");
        let waited = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(waited.problem(), answer.problem(), "a reader that waits is told the same");
        answer.problem()
    };
    assert_eq!(
        problem().await,
        "503 projection_not_ready: projection `totals` is not ready: build 1 halted at position 8: Counted: it is poison"
    );
    builds.set(build, |kept| kept.stage = Stage::Live).await;
    assert!(problem().await.contains("build 1 halted at position 8"));
    sqlx::query("UPDATE gnomon.builds SET error = NULL, work = 'paused'").execute(&builds.pool).await.unwrap();
    assert!(problem().await.ends_with("not ready: build 1 is paused at position 7"));
    builds.retire(build).await;
    assert!(problem().await.ends_with("not ready: all its builds are retired; deploy or rebuild it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_waits_for_a_halted_build_is_told_so() {
    let builds = TestBuilds::create().await;
    halted(&builds, Stage::Live).await;
    builds.append(9).await;
    let api = TestApi::on(&builds.database).await;
    let request =
        Request::get("/v1/read-models/totals/sums").header("gnomon-min-position", 8).header("prefer", "wait=0");
    assert_eq!(
        api.send(request.body(Body::empty()).unwrap()).await.problem(),
        "503 read_model_behind: projection `totals` is at position 7, and not yet at 8: build 1 halted at position 8: Counted: it is \
         poison; queries read that build"
    );
    assert_eq!(
        api.get("/v1/read-models/totals/sums").await.status,
        StatusCode::OK,
        "what it holds is read all the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_says_what_is_replaced_and_that_the_build_stands_still() {
    let builds = TestBuilds::create().await;
    halted(&builds, Stage::Live).await;
    let (next, tables) = builds.build(2, &["n"]).await;
    builds.set(next, |kept| (kept.stage, kept.activation) = (Stage::Live, Activation::Manual)).await;
    let lease = builds.lease(next).await;
    builds.commit(lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    builds.set(next, |kept| kept.work = Work::Paused).await;
    let api = TestApi::on(&builds.database).await;
    let activate =
        async |query: &str| api.post(&format!("/v1/projections/totals/activate{query}"), Body::empty()).await;

    let refused = activate("").await.problem();
    assert!(refused.starts_with("409 no_suitable_build: projection `totals` has no build to activate"), "{refused}");
    let answer = activate("?build=2").await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!((&body["build"], &body["active_build"], &body["stands_still_at"]), (&json!(2), &json!(2), &json!(7)));
    assert_eq!((&body["replaced"], &body["already_active"]), (&json!({"build": 1, "version": 1}), &json!(false)));
    let again = activate("").await.json();
    assert_eq!(
        (&again["build"], &again["replaced"], &again["already_active"]),
        (&json!(2), &Value::Null, &json!(true))
    );

    let refused = api.post("/v1/projections/totals/rollback", Body::empty()).await.problem();
    assert!(refused.contains("build 1 was active before, and is halted: it would stand still"), "{refused}");
    let back = activate("?build=1").await.json();
    assert_eq!((&back["active_build"], &back["stands_still_at"]), (&json!(1), &json!(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_a_user_that_blocks_a_change_is_a_conflict_that_names_it() {
    let builds = TestBuilds::create().await;
    halted(&builds, Stage::Live).await;
    let (next, tables) = builds.build(2, &["m"]).await;
    builds.set(next, |kept| (kept.stage, kept.activation) = (Stage::Live, Activation::Manual)).await;
    let lease = builds.lease(next).await;
    builds.commit(lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    builds.set(next, |kept| kept.work = Work::Paused).await;
    let api = TestApi::on(&builds.database).await;
    sqlx::raw_sql("CREATE VIEW public.of_users AS SELECT n FROM read_models.totals_sums")
        .execute(&builds.pool)
        .await
        .unwrap();
    let delete = Request::delete("/v1/projections/totals").body(Body::empty()).unwrap();
    for refused in [api.post("/v1/projections/totals/activate?build=2", Body::empty()).await, api.send(delete).await] {
        let problem = refused.problem();
        assert!(
            problem.starts_with("409 view_in_use: the view `read_models.totals_sums` must be dropped"),
            "{problem}"
        );
        assert_eq!(refused.json()["dependents"], json!(["view public.of_users"]));
        assert_eq!(refused.json()["view"], json!("read_models.totals_sums"));
    }
    let summary = api.get("/v1/projections/totals").await.json();
    assert_eq!(summary["active_build"], 1, "nothing has changed: {summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_holds_a_view_is_named_by_a_conflict() {
    let builds = TestBuilds::create().await;
    halted(&builds, Stage::Live).await;
    let (next, tables) = builds.build(2, &["n"]).await;
    builds.set(next, |kept| (kept.stage, kept.activation) = (Stage::Live, Activation::Manual)).await;
    let lease = builds.lease(next).await;
    builds.commit(lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    builds.set(next, |kept| kept.work = Work::Paused).await;
    let api = TestApi::on(&builds.database).await;
    let options = builds.database.connect_options().application_name("a notebook");
    let mut reader: sqlx::PgConnection = sqlx::Connection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM read_models.totals_sums").execute(&mut reader).await.unwrap();
    let delete = Request::delete("/v1/projections/totals").body(Body::empty()).unwrap();
    for refused in [api.post("/v1/projections/totals/activate?build=2", Body::empty()).await, api.send(delete).await] {
        let problem = refused.problem();
        assert!(
            problem.starts_with("409 locked: cannot change the projection: a lock in Postgres was not"),
            "{problem}"
        );
        assert_eq!(refused.header("retry-after"), "1");
        let blockers = &refused.json()["blockers"];
        assert_eq!(blockers.as_array().map(Vec::len), Some(1), "{blockers}");
        assert_eq!(blockers[0]["application"], "a notebook");
        assert_eq!(blockers[0]["query"], "BEGIN; SELECT * FROM read_models.totals_sums");
        assert!(blockers[0]["pid"].as_i64() > Some(0) && blockers[0]["since"].is_string(), "{blockers}");
    }
}

/// Without that, a client takes the failure for that of the operation, and repeats it.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_was_done_says_so_when_its_answer_fails() {
    let builds = TestBuilds::create().await;
    let (build, _) = builds.build(1, &["n"]).await;
    builds.set(build, |kept| (kept.stage, kept.role) = (Stage::Live, Role::Candidate)).await;
    let (other, _) = builds.build(2, &["n"]).await;
    for build in [build, other] {
        builds.set(build, |kept| kept.work = Work::Paused).await;
    }
    let api = TestApi::on(&builds.database).await;
    // The answer has every version's tables; those of the other version cannot be read.
    sqlx::raw_sql(
        "ALTER TABLE gnomon.module_versions DISABLE TRIGGER USER;
         UPDATE gnomon.module_versions SET descriptor = '{}' WHERE version = 2",
    )
    .execute(&builds.pool)
    .await
    .unwrap();
    let answer = api.post("/v1/projections/totals/resume?build=1", Body::empty()).await;
    let problem = answer.problem();
    assert!(problem.starts_with("500 internal: build 1 is resumed, but the answer failed: "), "{problem}");
    assert!(problem.ends_with(". Do not repeat the request"), "{problem}");
    assert_eq!(answer.json()["build"], 1);
}
