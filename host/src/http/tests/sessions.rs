//! Answers of a session are never older than those of the same projection before, whichever host gives them.

use super::{
    rows::{ReadModel, row},
    *,
};
use crate::{
    builds::{
        Work,
        tests::{TestBuilds, rows, step, writes},
    },
    read_model::Identifier,
};

/// The header of an answer, with which the next request goes on.
async fn read(api: &TestApi, path: &str, session: &str, prefer: &str) -> Answer {
    let mut request = Request::get(path).header("prefer", prefer);
    if !session.is_empty() {
        request = request.header("gnomon-session", session);
    }
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_at_another_host_and_each_projection_by_itself() {
    let ReadModel { builds, tables, lease, .. } = ReadModel::of([row(1, Some("one"))]).await;
    builds.append(9).await;
    let other =
        TestBuilds { name: Identifier::new("other").unwrap(), pool: builds.pool.clone(), database: builds.database };
    let (other_build, other_tables) = other.build(1, &["n"]).await;
    other.live(other_build).await;
    let other_lease = other.lease(other_build).await;
    other.commit(other_lease, &other_tables, step(0, 3), writes(&other_tables, &[1, 10])).await.unwrap();
    other.activate(other_build, &other_tables).await;
    other.set(other_build, |kept| kept.work = Work::Paused).await;
    let hosts = [
        TestApi::of(TestHost::start(&other.database).await, HttpSettings::default()),
        TestApi::of(TestHost::start(&other.database).await, HttpSettings::default()),
    ];
    let (sums, others) = ("/v1/read-models/totals/sums", "/v1/read-models/other/sums");

    let first = read(&hosts[0], others, "", "").await;
    let session = first.header("gnomon-session").to_owned();
    assert_eq!((first.header("gnomon-position"), session.as_str()), ("3", "s2-0.other=3"));
    // Another projection is not waited for because of that: it may be paused, and this client has seen nothing newer of it.
    let behind = read(&hosts[1], sums, &session, "wait=0").await;
    let session = behind.header("gnomon-session").to_owned();
    assert_eq!((behind.status, session.as_str()), (StatusCode::OK, "s2-0.totals=1.other=3"));
    // What another host has answered is waited for, and it is said if it does not come.
    let newer = session.replace("totals=1", "totals=4");
    let older = read(&hosts[0], sums, &newer, "wait=0").await;
    assert!(
        older.problem().starts_with("503 read_model_behind: projection `totals` is at position 1, and not yet at 4")
    );
    // The request is sent before, and the rows are changed after.
    let waits = read(&hosts[0], sums, &newer, "wait=30");
    let comes = async {
        let next = rows(&tables, [row(1, Some("two"))]);
        other.commit(lease, &tables, step(1, 4), next).await.unwrap();
    };
    let (second, ()) = tokio::join!(waits, comes);
    assert_eq!((second.status, second.json()[0]["t"].as_str()), (StatusCode::OK, Some("two")));
    let session = second.header("gnomon-session").to_owned();
    assert_eq!(session, "s2-0.totals=4.other=3");
    // A list of tables is an answer of a session as well, and goes on with the newest position.
    let newer = session.replace("other=3", "other=7");
    assert!(
        read(&hosts[0], "/v1/read-models/other", &newer, "wait=0").await.problem().starts_with("503 read_model_behind")
    );
    other.commit(other_lease, &other_tables, step(3, 7), rows(&other_tables, [])).await.unwrap();
    let third = read(&hosts[0], "/v1/read-models/other", &session, "wait=0").await;
    assert_eq!((third.status, third.header("gnomon-session")), (StatusCode::OK, "s2-0.other=7.totals=4"));
    let beyond = read(&hosts[0], others, "s2-0.other=100", "wait=30").await;
    assert!(beyond.problem().starts_with("409 position_beyond_head: "), "{}", beyond.problem());
    // The token of an older host is one position for all projections.
    assert!(read(&hosts[0], sums, "s1-7", "wait=0").await.problem().contains("and not yet at 7"));
    // What it asks for beside is waited for as well.
    let request = Request::get(sums).header("gnomon-session", "s2-0.totals=2").header("gnomon-min-position", "9");
    let both = hosts[1].send(request.header("prefer", "wait=0").body(Body::empty()).unwrap()).await;
    assert!(both.problem().contains("and not yet at 9"), "{}", both.problem());
}
