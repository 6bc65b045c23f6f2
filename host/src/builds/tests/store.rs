use super::*;
use crate::runtime::{FailureKind, ModuleFailure, ModuleLabel};

#[tokio::test]
async fn every_state_is_read_as_it_was_written() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let mut connection = test.pool.acquire().await.unwrap();
    for stage in [Stage::Replaying, Stage::Live] {
        for work in [Work::Running, Work::Paused, Work::Halted, Work::Failed] {
            for role in [Role::Candidate, Role::Active, Role::Replaced] {
                for activation in [Activation::Auto, Activation::Manual] {
                    let state = Kept { stage, work, role, activation };
                    if !state.is_possible() {
                        continue;
                    }
                    super::super::store::set_state(&mut connection, build, State::Kept(state), &Marks::default())
                        .await
                        .unwrap();
                    let found = get(&mut *connection, &[build]).await.unwrap().pop().unwrap();
                    assert_eq!(found.state, State::Kept(state));
                }
            }
        }
    }
}

/// Written directly, since the code has no words for such states.
#[tokio::test]
async fn a_state_that_cannot_be_is_refused_by_the_schema() {
    let test = TestBuilds::create().await;
    let (one, _) = test.build(1, &["n"]).await;
    let (other, _) = test.build(1, &["n"]).await;
    let refused = async |change: &str| {
        let sql = format!("UPDATE gnomon.builds SET {change} WHERE build = {}", one.0);
        sqlx::query(&sql).execute(&test.pool).await.unwrap_err().to_string()
    };
    assert!(refused("role = 'active'").await.contains("builds_check"), "it replays");
    assert!(refused("work = NULL").await.contains("builds_check"), "half a state");
    assert!(refused("work = 'sleeping'").await.contains("builds_work_check"));
    assert!(refused("work = 'paused', error = '{}'").await.contains("builds_check"));
    assert!(
        refused("role = 'verifier', activation = 'manual'").await.contains("builds_check"),
        "without a build to verify"
    );
    // A past build has a position and has been asked for; it is never paused, becomes live by ending, and is deleted and not retired.
    let past = "role = 'past', activation = 'manual'";
    assert!(refused(past).await.contains("builds_past_check"));
    assert!(refused("stop_at = 7").await.contains("builds_past"));
    let past = format!("{past}, stop_at = 7");
    assert!(refused(&past).await.contains("builds_past_asked_check"));
    let past = format!("{past}, asked_at = now()");
    assert!(refused(&format!("{past}, work = 'paused'")).await.contains("builds_past_work_check"));
    assert!(refused(&format!("{past}, stage = 'live'")).await.contains("builds_finished_check"));
    assert!(refused(&format!("{past}, work = 'finished'")).await.contains("builds_finished_check"));
    assert!(refused("work = 'finished', stage = 'live'").await.contains("builds_finished_check"));
    let retired = "stop_at = 7, asked_at = now(), role = NULL, stage = NULL, work = NULL, activation = NULL";
    assert!(refused(retired).await.contains("builds_past_kept_check"));
    for build in [one, other] {
        test.set(build, |kept| (kept.stage, kept.activation) = (Stage::Live, Activation::Manual)).await;
    }
    test.set(other, |kept| kept.role = Role::Active).await;
    assert!(refused("role = 'active'").await.contains("one_active_build"));
}

/// A newer version of Gnomon may store states that this one does not know. None of them is read as another state.
#[tokio::test]
async fn an_unknown_state_is_an_error_and_not_a_default() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    for (column, constraint) in [("stage", "builds_stage_check"), ("work", "builds_work_check")] {
        let sql = format!(
            "ALTER TABLE gnomon.builds DROP CONSTRAINT {constraint};
             UPDATE gnomon.builds SET {column} = 'dreaming'"
        );
        sqlx::raw_sql(&sql).execute(&test.pool).await.unwrap();
        let error = get(&test.pool, &[build]).await.unwrap_err().to_string();
        assert!(error.contains("`dreaming`, which this version of Gnomon does not know"), "{error}");
        assert!(summaries(&test.pool, None, RetiredBuilds::Listed).await.is_err());
    }
}

#[tokio::test]
async fn an_error_is_read_as_it_was_written_with_the_upcaster_that_failed() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    for upcaster in
        [None, Some(ModuleLabel { name: Identifier::new("flight_arrivals").unwrap(), version: Some(ModuleVersion(3)) })]
    {
        let failure = ModuleFailure {
            position: Position(9),
            upcaster: upcaster.clone(),
            kind: FailureKind::Refused,
            message: "no delay".to_owned(),
            backtrace: Vec::new(),
        };
        let error = BuildError::Module { failure, stream: "flight-1".to_owned(), event_type: "Arrived".to_owned() };
        let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
        report(&mut worker, lease, &WorkerReport::Halted(error.clone())).await.unwrap();
        worker.commit().await.unwrap();
        let projection = summaries(&test.pool, None, RetiredBuilds::Listed).await.unwrap().pop().unwrap();
        assert_eq!(projection.builds[0].error, Some(error.clone()));
        let subject = if upcaster.is_some() { "upcaster `flight_arrivals` version 3" } else { "the module" };
        assert_eq!(
            error.to_string(),
            format!("{subject} could not handle the event at position 9: no delay (Arrived of stream flight-1)")
        );
        test.set(build, |kept| kept.work = Work::Running).await;
    }
}

#[tokio::test]
async fn a_change_sees_what_a_worker_reported_in_between() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
    let error = BuildError::Host { message: "the disk is full".to_owned() };
    report(&mut worker, lease, &WorkerReport::Failed(error)).await.unwrap();
    // The operator's transaction waits for the worker's.
    let pause = async {
        let mut changes = Changes::begin(&test.pool, &test.name).await.unwrap();
        changes.apply(build, Event::Paused, "an operator paused it").await
    };
    let commit = async {
        until_a_session_waits(&test.pool).await;
        worker.commit().await.unwrap();
    };
    let (paused, ()) = tokio::join!(pause, commit);
    assert!(matches!(paused.unwrap_err(), ChangeError::Refused { refused: Refused::NotRunning, .. }));
    let found = get(&test.pool, &[build]).await.unwrap().pop().unwrap();
    assert_eq!(found.word(), BuildState::Failed);
}

async fn until_a_session_waits(pool: &PgPool) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(pool).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_report_of_a_worker_without_the_lease_changes_nothing() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let (old, _new) = (test.lease(build).await, test.lease(build).await);
    let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
    let error = BuildError::Host { message: "it halts".to_owned() };
    let reported = report(&mut worker, old, &WorkerReport::Halted(error)).await;
    assert!(matches!(reported, Err(ReportError::LeaseLost(_))), "{reported:?}");
}

#[tokio::test]
async fn a_retired_build_has_neither_tables_nor_dead_letters_nor_an_error() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
    let error = BuildError::Host { message: "the disk is full".to_owned() };
    report(&mut worker, lease, &WorkerReport::Failed(error)).await.unwrap();
    worker.commit().await.unwrap();
    let mut changes = Changes::begin(&test.pool, &test.name).await.unwrap();
    changes.apply(build, Event::Retired, "an operator retired it").await.unwrap();
    changes.commit().await.unwrap();
    let projection = summaries(&test.pool, None, RetiredBuilds::Listed).await.unwrap().pop().unwrap();
    assert_eq!((projection.builds[0].state, &projection.builds[0].error), (BuildState::Retired, &None));
    let schema: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NULL")
        .bind(build.schema().as_str())
        .fetch_one(&test.pool)
        .await
        .unwrap();
    assert!(schema, "the schema is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_move_has_no_rate() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let rate = async || {
        let projections = summaries(&test.pool, None, RetiredBuilds::Listed).await.unwrap();
        (projections[0].builds[0].events_per_second, projections[0].builds[0].seconds_left)
    };
    assert_eq!(rate().await, (0.0, None));
    test.append(20).await;
    let step = Step { events_per_second: 5.0, ..step(0, 10) };
    test.commit(lease, &tables, step, writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(rate().await, (5.0, Some(2.0)));
    test.set(build, |kept| kept.work = Work::Paused).await;
    assert_eq!(rate().await, (0.0, None), "a paused build has no rate at once");
    test.set(build, |kept| kept.work = Work::Running).await;
    // As if a minute had passed.
    sqlx::query("UPDATE gnomon.subscriptions SET committed_at = committed_at - interval '1 minute'")
        .execute(&test.pool)
        .await
        .unwrap();
    assert_eq!(rate().await, (0.0, None));
    test.retire(build).await;
    let projections = summaries(&test.pool, None, RetiredBuilds::Listed).await.unwrap();
    assert_eq!(projections[0].builds[0].lag, None, "a retired build has no lag");
}

/// Written directly, since the code never writes such a dead letter.
#[tokio::test]
async fn a_dead_letter_beyond_the_checkpoint_is_refused_by_the_schema() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    test.commit(lease, &tables, step(0, 9), writes(&tables, &[1, 10])).await.unwrap();
    let insert = async |position: i64| {
        sqlx::query(
            "INSERT INTO gnomon.dead_letters (subscription, position, stream, event_type, parked) VALUES ($1, $2, 's', 't', true)",
        )
        .bind(build.0)
        .bind(position)
        .execute(&test.pool)
        .await
    };
    insert(9).await.unwrap();
    let refused = insert(10).await.unwrap_err().to_string();
    assert!(
        refused.contains("the dead letter at position 10 of subscription 1 is beyond its checkpoint 9"),
        "{refused}"
    );
    let back = sqlx::query("UPDATE gnomon.subscriptions SET checkpoint = 8").execute(&test.pool).await.unwrap_err();
    assert!(back.to_string().contains("falls back from 9 to 8"), "{back}");
}
