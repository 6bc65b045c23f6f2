//! Two tables of which one references the other, compared with the raw events of the week.

use std::collections::BTreeMap;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Host, deploy_upcaster, week, week_ndjson};

/// Flights announced, departed and arrived.
type Counts = [i64; 3];

/// What the flights of each aircraft add up to. The sample's README shows it.
const JOIN: &str = "
    SELECT tailnum, count(*) AS announced, count(dep_delay) AS departed, count(arr_delay) AS arrived
    FROM read_models.rotations_aircraft AS aircraft
    JOIN read_models.rotations_flights AS flights USING (tailnum)
    GROUP BY tailnum
";

/// The counts of each aircraft; those of flights without one are under the empty text.
fn counted(events: &[Value]) -> BTreeMap<String, Counts> {
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for event in events {
        let of_aircraft = counts.entry(event["data"]["tailnum"].as_str().unwrap_or_default().to_owned()).or_default();
        match event["type"].as_str().unwrap() {
            "FlightScheduled" => of_aircraft[0] += 1,
            "FlightDeparted" => of_aircraft[1] += 1,
            "FlightArrived" => of_aircraft[2] += 1,
            _ => {}
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn flights_find_their_aircraft() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    deploy_upcaster(&host).await;
    let events = week();
    host.import(week_ndjson(&events)).await;
    host.deploy("rotations", test_support::component("rotations"), "").await;
    let in_the_events = counted(&events);
    assert_eq!(in_the_events[""], [8, 0, 0], "cancelled before they had an aircraft");

    // Over HTTP: the totals that the projection keeps.
    let rows = host.rows_at("rotations/aircraft?select=tailnum,departed,arrived", 18_262).await;
    assert_eq!(rows.len(), in_the_events.len() - 1);
    for row in &rows {
        let [_, departed, arrived] = in_the_events[row["tailnum"].as_str().unwrap()];
        assert_eq!(row, &json!({"tailnum": row["tailnum"], "departed": departed, "arrived": arrived}));
    }

    // With SQL: the flights themselves.
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let joined: Vec<(String, i64, i64, i64)> = sqlx::query_as(JOIN).fetch_all(&mut connection).await.unwrap();
    let joined: BTreeMap<String, Counts> = joined.into_iter().map(|(of, a, b, c)| (of, [a, b, c])).collect();
    let with_aircraft = in_the_events.into_iter().filter(|(tailnum, _)| !tailnum.is_empty());
    assert_eq!(joined, with_aircraft.collect());
    let alone: i64 = sqlx::query_scalar("SELECT count(*) FROM read_models.rotations_flights WHERE tailnum IS NULL")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(alone, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_and_the_descriptions_are_shown() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("rotations", test_support::component("rotations"), "").await;
    host.until_state("rotations", build, "active").await;
    let descriptor = host.json("/v1/modules/rotations/versions/1").await["descriptor"].clone();
    assert_eq!(descriptor["description"], "The aircraft that flew, and the flights of each.", "{descriptor}");
    let [aircraft, flights] = [&descriptor["tables"][0], &descriptor["tables"][1]];
    assert_eq!((&aircraft["name"], &aircraft["references"]), (&json!("aircraft"), &json!([])));
    assert_eq!(flights["description"], "A flight as it is now.");
    assert_eq!(flights["references"], json!([{"columns": ["tailnum"], "table": "aircraft"}]));
    assert_eq!(flights["columns"][1]["description"], "The aircraft; null until there is one.");

    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let comments: (Option<String>, Option<String>) = sqlx::query_as(
        "SELECT obj_description('read_models.rotations_flights'::regclass),
                col_description('read_models.rotations_flights'::regclass, 2)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let shown = (comments.0.as_deref(), comments.1.as_deref());
    assert_eq!(shown, (Some("A flight as it is now."), Some("The aircraft; null until there is one.")));
}
