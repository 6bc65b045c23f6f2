//! Where a reactor begins, and what another version goes on with.

use serde_json::json;

use super::*;
use crate::{operations::OperateError, reactors::DeployError};

fn heard_at(heard: &[Heard]) -> Vec<i64> {
    heard.iter().map(|(position, ..)| *position).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_begins_with_the_next_event_or_where_it_is_told() {
    let test = TestReactor::none().await;
    for number in 1..=4 {
        test.tell(&format!("told-{number}"), json!([])).await;
    }
    assert_eq!(test.deploy("obeys", None).await.unwrap(), Deployed::Begun { after: Position(4) });
    test.tell("told-5", json!([append("note-1")])).await;
    test.handled().await;
    assert_eq!(heard_at(&test.heard().await), [5]);
    assert_eq!(test.deploy("obeys", None).await.unwrap(), Deployed::Unchanged);
    // It has begun.
    let refused = test.deploy("obeys", Some(1)).await.unwrap_err();
    assert!(
        matches!(&refused, UploadModuleError::Operate(OperateError::Reactor(DeployError::HasBegun(_)))),
        "{refused:?}"
    );
    let first = test.done().await[0].id;

    // Another one, under another lineage.
    test.host.operations.delete_reactor(&test.name).await.unwrap();
    let beyond = test.deploy("obeys", Some(8)).await.unwrap_err();
    assert!(beyond.to_string().contains("begin at position 8, and the newest event is at position 6"), "{beyond}");
    assert_eq!(test.deploy("obeys", Some(3)).await.unwrap(), Deployed::Begun { after: Position(2) });
    test.handled().await;
    assert_eq!(heard_at(&test.heard().await), [3, 4, 5]);
    let done = test.done().await;
    assert_eq!(done.len(), 2);
    assert!(done[0].id == first && done[1].id != first);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_goes_on_with_the_rows_of_the_one_before() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([append("note-1"), schedule("later", 3_600_000)])).await;
    test.tell("told-2", json!([fail_up_to(1), append("note-2")])).await;
    let why = test.stopped().await;
    assert!(why.contains("it is told to fail") && why.contains("Told of stream told-2"), "{why}");

    // One that cannot have the rows is stored, and changes nothing.
    let refused = test.deploy("obeys_otherwise", None).await.unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("version 2 cannot go on with the rows of reactor `obeys`"), "{said}");
    assert!(said.contains("column `what` of table `heard` is text, and is declared as i64"), "{said}");
    assert_eq!(test.summary().await.version, ModuleVersion(1));

    let next = test.deploy("obeys_next", None).await.unwrap();
    assert_eq!(next, Deployed::Replaced { version: ModuleVersion(1) });
    test.handled().await;
    assert_eq!(test.heard().await, [(1, "told".to_owned(), 0), (2, "told".to_owned(), 1)]);
    let schema = test.reactor().await.id.schema();
    let versions: Vec<Option<i64>> =
        sqlx::query_scalar(&format!("SELECT version FROM {schema}.heard ORDER BY position"))
            .fetch_all(&test.host.database.lookups)
            .await
            .unwrap();
    assert_eq!(versions, [None, Some(2)]);
    assert_eq!(test.schedules().await, ["later"]);

    // And back, while nothing is wrong.
    let back = test.host.operations.activate_reactor(&test.name, Some(ModuleVersion(1)), None).await.unwrap();
    assert_eq!(back.deployed, Deployed::Replaced { version: test.version_of("obeys_next").await });
    test.tell("told-3", json!([append("note-3")])).await;
    test.handled().await;
    assert_eq!(test.heard().await.len(), 3);
    assert_eq!(test.done().await.len(), 3);
}

impl TestReactor {
    /// The version that has the bytes of a guest.
    async fn version_of(&self, guest: &str) -> ModuleVersion {
        let digest = crate::runtime::Digest::of(&test_support::guest(guest)).to_string();
        let module = self.host.modules.get(&self.name).await.unwrap().unwrap();
        module.versions.iter().find(|version| version.digest.to_string() == digest).unwrap().version
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_reactor_does_nothing_until_it_is_resumed() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([append("note-1")])).await;
    test.handled().await;
    test.host.operations.pause_reactor(&test.name).await.unwrap();
    test.tell("told-2", json!([append("note-2")])).await;
    let refused = test.host.operations.pause_reactor(&test.name).await.unwrap_err().to_string();
    assert_eq!(refused, "reactor `obeys` is paused: it is not running");
    // A version that is deployed meanwhile waits as well.
    test.deploy("obeys_next", None).await.unwrap();
    assert_eq!(test.summary().await.work, reactors::Work::Paused);
    assert_eq!(test.done().await.len(), 1);
    test.host.operations.resume_reactor(&test.name).await.unwrap();
    test.handled().await;
    assert_eq!(test.done().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_reactor_that_is_deleted_but_what_it_has_done() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([append("note-1"), schedule("later", 3_600_000)])).await;
    test.handled().await;
    let schema = test.reactor().await.id.schema();
    test.host.operations.delete_reactor(&test.name).await.unwrap();
    let left: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM gnomon.reactors), (SELECT count(*) FROM gnomon.schedules),
                (SELECT count(*) FROM gnomon.subscriptions), (SELECT count(*) FROM pg_namespace WHERE nspname = $1)",
    )
    .bind(schema.as_str())
    .fetch_one(&test.host.database.lookups)
    .await
    .unwrap();
    assert_eq!(left, (0, 0, 0, 0));
    assert_eq!(test.done().await.len(), 1);
    let gone = test.host.operations.reactor(&test.name).await.unwrap_err().to_string();
    assert_eq!(gone, "there is no reactor `obeys`");
    // Its module is still there.
    let again = test.host.operations.activate_reactor(&test.name, None, None).await.unwrap();
    assert_eq!(again.deployed, Deployed::Begun { after: Position(2) });
}
