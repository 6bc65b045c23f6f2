//! What is not told, and why.

use super::*;
use crate::subscriptions::OnFailure;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_refused_in_words() {
    let database = TestDatabase::create().await;
    let host = host(&database, PastSettings::default()).await;
    host.deploy(&name("bank"), test_support::component("bank"), Activation::Auto).await;
    host.deploy(&name("tally"), test_support::guest("tally"), Activation::Auto).await;
    moved(&host, "account-1", 2).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    let refused = async |asked: Asked<'_>, at| asked.state(at).await.unwrap_err().to_string();
    let newest = At::Newest;
    assert_eq!(refused(Asked { projection: "nobody", ..asked }, newest).await, "there is no projection `nobody`");
    assert_eq!(refused(Asked { stream: "account-2", ..asked }, newest).await, "there is no stream `account-2`");
    assert_eq!(refused(Asked { version: Some(9), ..asked }, newest).await, "module `bank` has no version 9");
    assert_eq!(
        refused(asked, At::Version(StreamVersion(4))).await,
        "stream `account-1` ends at version 3, and version 4 is asked for"
    );
    let found = refused(Asked { projection: "tally", ..asked }, newest).await;
    assert!(found.starts_with("version 1 of projection `tally` does not say that each of its rows depends"), "{found}");
    let too_large = host.past.state(&host.log, &stream_name("account-1"), &name("bank"), None, newest, 10).await;
    assert!(matches!(too_large, Err(PastError::AnswerTooLarge { max: 10, .. })), "{too_large:?}");
    // A projection that reads nothing of the stream has no rows of it.
    host.append([("other-1".to_owned(), "Happened", json!({}))]).await;
    let empty = Asked { stream: "other-1", ..asked }.at(1).await;
    assert_eq!(tables(&empty), [("accounts".to_owned(), Vec::new())].into());
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_an_event_that_cannot_be_handled_nothing_is_told() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(1)).await;
    let baskets = name("baskets");
    host.deploy(&baskets, test_support::guest("baskets"), Activation::Auto).await;
    let event = |event_type, data| ("basket-1".to_owned(), event_type, data);
    let added = || event("Added", json!({"item": "pen", "count": 1}));
    host.append([added(), event("Removed", json!({"item": "cup"})), added()]).await;
    let asked = Asked { host: &host, stream: "basket-1", projection: "baskets", version: None };
    let items = |state: &StreamState| tables(state)["items"].clone();
    assert_eq!(items(&asked.at(1).await)[0]["count"], 1);
    let stopped = asked.state(At::Newest).await.unwrap_err();
    assert_eq!(
        stopped.to_string(),
        "version 1 of projection `baskets` cannot handle version 2 of stream `basket-1`: the module could not handle the event at position \
         2: Removed: there is no cup in basket 1. Ask for version 1 of the stream or an earlier one, or for a version of the projection that can"
    );
    let page = asked.history(None, PageSize::from(10), Direction::Forward).await;
    let statuses: Vec<Status> = page.events.iter().map(|event| event.status).collect();
    assert_eq!(statuses, [Status::Handled, Status::StoppedAt, Status::ToCome]);
    assert!(page.events[1].failure.is_some() && page.events[2].changes.is_empty());
    // The policy of the projection decides, as it does for a build that comes to the event.
    host.operations.set_on_failure(&baskets, OnFailure::Skip).await.unwrap();
    let state = asked.at(3).await;
    assert_eq!((state.left_out, items(&state)[0]["count"].clone()), (1, json!(2)));
    host.operations.set_on_failure(&baskets, OnFailure::Park).await.unwrap();
    let state = asked.at(3).await;
    assert_eq!((state.left_out, items(&state)[0]["count"].clone()), (2, json!(1)));
    // No snapshot says anything of what is behind the event: whether it counts may change.
    assert!(snapshots(&host, "basket-1").await.iter().all(|version| *version < 2));
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_build_has_set_aside_does_not_count_though_snapshots_count_it() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    let bank = name("bank");
    let build = host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    moved(&host, "account-1", 29).await;
    host.caught_up(&bank).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    let balance = |state: &StreamState| tables(state)["accounts"][0]["balance"].as_i64().unwrap();
    let all = asked.at(30).await;
    assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30]);
    // As of a build whose host allowed its module less.
    sqlx::query(
        r#"INSERT INTO gnomon.dead_letters (subscription, position, stream, event_type, parked, error)
           VALUES ($1, 15, 'account-1', 'MoneyDeposited', false, '{"position": 15, "kind": "timed_out", "message": "late"}')"#,
    )
    .bind(build.id)
    .execute(&host.database.lookups)
    .await
    .unwrap();
    let without = asked.at(30).await;
    assert_eq!((without.left_out, without.told.began_at.0), (1, 10));
    assert_eq!(balance(&without), balance(&all) - 14);
    let page = asked.history(Some(14), PageSize::from(2), Direction::Forward).await;
    assert_eq!(page.events.iter().map(|event| event.status).collect::<Vec<_>>(), [Status::SetAside, Status::Handled]);
    // Those that were taken before are what they were, and no others are.
    assert!(asked.verify().await.wrong_snapshots.is_empty());
    assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30]);
    sqlx::query("DELETE FROM gnomon.dead_letters").execute(&host.database.lookups).await.unwrap();
    let again = asked.at(30).await;
    assert_eq!((again.left_out, again.told.began_at.0, balance(&again)), (0, 30, balance(&all)));
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_beyond_their_memory_are_refused() {
    let database = TestDatabase::create().await;
    let settings = PastSettings { max_fold_bytes: 10_000, ..PastSettings::default() };
    let host = host(&database, settings).await;
    host.deploy(&name("baskets"), test_support::guest("baskets"), Activation::Auto).await;
    let added = |item: u32| ("basket-1".to_owned(), "Added", json!({"item": format!("item {item}"), "count": 1}));
    host.append((0..200).map(added)).await;
    let asked = Asked { host: &host, stream: "basket-1", projection: "baskets", version: None };
    let refused = asked.state(At::Newest).await.unwrap_err();
    assert!(matches!(refused, PastError::TooLarge { max: 10_000, .. }), "{refused}");
    assert_eq!(tables(&asked.at(10).await)["items"].len(), 10);
    // What is deleted takes no memory.
    let times = (0..3000).flat_map(|_| {
        let removed = ("basket-2".to_owned(), "Cleared", json!({}));
        [("basket-2".to_owned(), "Added", json!({"item": "pen", "count": 1})), removed]
    });
    host.append(times).await;
    let asked = Asked { stream: "basket-2", ..asked };
    assert!(tables(&asked.at(6000).await)["items"].is_empty());
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_gets_further_each_time() {
    let database = TestDatabase::create().await;
    let settings = PastSettings { past_timeout: std::time::Duration::ZERO, ..every(100) };
    let host = host(&database, settings).await;
    host.deploy(&name("bank"), test_support::component("bank"), Activation::Auto).await;
    moved(&host, "account-1", 549).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    let mut reached = Vec::new();
    let state = loop {
        match asked.state(At::Newest).await {
            Ok(state) => break state,
            Err(PastError::TimedOut { reached: version, .. }) => reached.push(version.0),
            Err(error) => panic!("{error}"),
        }
        written(&host).await;
    };
    assert_eq!(reached, [100, 200, 300, 400, 500]);
    assert_eq!((state.told.began_at.0, state.told.read), (500, 50));
    assert_eq!(tables(&state)["accounts"][0]["balance"], 549 * 550 / 2);
    host.projector.stop().await;
}
