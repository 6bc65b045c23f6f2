//! Which logic tells the past.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_a_projection_tells_the_past_in_its_way() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(1)).await;
    let counts = name("counts");
    let first: Build = host.deploy(&counts, test_support::guest("tally_by_stream"), Activation::Auto).await;
    host.append((1..=3).map(|n| ("count-1".to_owned(), "Counted", json!({"n": n})))).await;
    host.caught_up(&counts).await;
    let asked = Asked { host: &host, stream: "count-1", projection: "counts", version: None };
    let row = json!({"stream": "1", "sum": 3, "events": 2, "last_version": 2});
    let state = asked.at(2).await;
    assert_eq!(tables(&state), [("tallies".to_owned(), vec![row.clone()])].into());
    let number = |state: &StreamState| state.told.logic.build.as_ref().map(|build| build.number);
    assert_eq!((state.told.logic.version.0, number(&state)), (1, Some(first.number)));
    assert_eq!(snapshots(&host, "count-1").await, [1, 2]);

    // Another version has another table, and the snapshots of the first are none of it.
    let second = host.deploy(&counts, test_support::guest("baskets"), Activation::Auto).await;
    let is_active = async || number(&asked.at(2).await) == Some(second.number);
    test_support::until("the second build is active", is_active).await;
    host.operations.retire(&counts, first.number).await.unwrap();
    let state = asked.at(2).await;
    assert_eq!(state.told.logic.version.0, 2);
    assert_eq!(number(&state), Some(second.number));
    assert_eq!(tables(&state), [("items".to_owned(), Vec::new()), ("baskets".to_owned(), Vec::new())].into());
    // What would the first have said? Its build is retired, and its snapshots are there.
    let state = Asked { version: Some(1), ..asked }.at(3).await;
    assert_eq!((state.told.logic.version.0, state.told.began_at.0), (1, 2));
    assert_eq!(
        state.told.logic.build.as_ref().map(|build| (build.number, build.state.is_readable())),
        Some((first.number, false))
    );
    assert_eq!(tables(&state)["tallies"][0]["sum"], 6);
    written(&host).await;
    let verification = Asked { version: Some(1), ..asked }.verify().await;
    assert!(verification.rows.is_none() && verification.snapshots == 3, "{verification:?}");
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_through_the_upcasters_of_the_build() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(1)).await;
    let upcaster = name("flight_arrivals");
    host.operations.upload(&upcaster, test_support::component("flight-arrivals"), Activation::Auto).await.unwrap();
    host.operations.activate_upcaster(&upcaster, None).await.unwrap();
    let flights = name("flights");
    host.deploy(&flights, test_support::component("flights"), Activation::Auto).await;
    let data = json!({"day": "2013-01-01", "carrier": "B6", "tailnum": "N708JB", "route": "JFK-BOS", "air_time": "0:44", "miles": 187,
        "scheduled_arrival": "2013-01-01T12:06:00Z", "actual_arrival": "2013-01-01T12:02:00Z"});
    host.append([("flight-20130101-B61806-JFK".to_owned(), "FlightArrived", data)]).await;
    host.caught_up(&flights).await;
    let asked = Asked { host: &host, stream: "flight-20130101-B61806-JFK", projection: "flights", version: None };
    let state = asked.at(1).await;
    let logic = &state.told.logic;
    let pinned: Vec<String> = logic.upcasters.iter().map(|pinned| pinned.name.to_string()).collect();
    assert_eq!(pinned, ["flight_arrivals"]);
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT to_json(row)::text FROM read_models.flights_flight_state AS row")
            .fetch_all(&host.database.lookups)
            .await
            .unwrap();
    assert_eq!((tables(&state)["flight_state"].len(), rows.len()), (1, 1));
    host.projector.stop().await;
}
