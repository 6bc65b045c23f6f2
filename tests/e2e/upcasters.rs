//! Events of older schema versions: upcasters are activated, and the projections that read them are built again.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{FLIGHT_TABLES, Host, deploy_flights, fingerprint_of, until, week, week_ndjson};

#[tokio::test(flavor = "multi_thread")]
async fn an_upcaster_repairs_projections_that_halted_at_events_of_an_older_schema_version() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    deploy_flights(&host).await;
    let events = week();
    host.import(week_ndjson(&events)).await;
    let old = events.iter().position(|event| event["type"] == "FlightArrived" && event["data"]["arr_delay"].is_null());
    let old = old.expect("a part of the week is in the older shape") as u64 + 1;
    for name in ["punctuality", "flights", "fleet"] {
        let build = host.projection(name).await["builds"][0]["build"].as_u64().unwrap();
        host.until_state(name, build, "halted").await;
        assert_eq!(host.build(name, build).await["error"]["position"], old, "{name}");
    }
    // `bank` reads none of these events, and is not built again.
    let bank = host.deploy("bank", test_support::component("bank"), "").await;
    host.until_state("bank", bank, "active").await;

    let answer = host.upload("flight_arrivals", test_support::component("flight-arrivals"), "").await;
    assert_eq!((answer.status, &answer.body["kind"]), (StatusCode::CREATED, &json!("upcaster")), "{answer:?}");
    let rebuilt = answer.body["builds"].as_array().unwrap();
    let names: Vec<&str> = rebuilt.iter().map(|build| build["projection"].as_str().unwrap()).collect();
    assert_eq!(names, ["fleet", "flights", "punctuality"]);
    for build in rebuilt {
        let (name, build) = (build["projection"].as_str().unwrap(), build["build"].as_u64().unwrap());
        host.until_state(name, build, "active").await;
        let pinned = json!([{"name": "flight_arrivals", "version": 1}]);
        assert_eq!(host.build(name, build).await["upcasters"], pinned);
    }
    for (projection, table, columns, rows, fingerprint) in FLIGHT_TABLES {
        let found = fingerprint_of(&host, projection, table, columns, 18262).await;
        assert_eq!(found, (rows, fingerprint.to_owned()), "{table}");
    }

    // The log keeps the original; a reader can see what projections see.
    let path = format!("/v1/events?after={}&limit=1", old - 1);
    let original = host.get(&path).await.body["events"][0].clone();
    let upcasted = host.get(&format!("{path}&upcast=true")).await.body["events"][0].clone();
    assert_eq!((&original["schema_version"], &original["data"]["arr_delay"]), (&json!(1), &Value::Null));
    assert_eq!((&upcasted["schema_version"], &upcasted["part"]), (&json!(2), &json!(0)));
    assert!(upcasted["data"]["arr_delay"].is_i64(), "{upcasted}");
    assert_eq!((&upcasted["position"], &upcasted["id"]), (&original["position"], &original["id"]));
    let after = (old - 1).to_string();
    let printed = host.try_run(&["events", "--after", &after, "--limit", "1", "--upcast"]).await;
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), upcasted, "{printed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upcaster_can_be_deactivated_and_existing_builds_keep_it() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let answer = host.upload("flight_arrivals", test_support::component("flight-arrivals"), "?activate=manual").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(host.get("/v1/upcasters").await.body, json!({"upcasters": []}));
    let unknown = host.post("/v1/upcasters/nobody/activate").await;
    assert_eq!((unknown.status, &unknown.body["code"]), (StatusCode::NOT_FOUND, &json!("upcaster_not_found")));

    let activated = host.post("/v1/upcasters/flight_arrivals/activate").await;
    assert_eq!((activated.status, &activated.body["active_version"]), (StatusCode::OK, &json!(1)));
    let first = host.deploy("flights", test_support::component("flights"), "").await;
    host.until_state("flights", first, "active").await;
    // Another upcaster with a step for the same events conflicts with it.
    let twin = host.upload("twin", test_support::component("flight-arrivals"), "").await;
    assert_eq!((twin.status, &twin.body["code"]), (StatusCode::CONFLICT, &json!("upcaster_conflict")), "{twin:?}");

    let deactivated = host.post("/v1/upcasters/flight_arrivals/deactivate").await;
    assert_eq!(deactivated.body["active_version"], Value::Null, "{deactivated:?}");
    let second = deactivated.body["builds"][0]["build"].as_u64().unwrap();
    host.until_state("flights", second, "active").await;
    assert_eq!(host.build("flights", second).await["upcasters"], json!([]));
    assert_eq!(
        host.build("flights", first).await["upcasters"].as_array().unwrap().len(),
        1,
        "the first build keeps its upcaster"
    );
    let again = host.post("/v1/upcasters/flight_arrivals/deactivate").await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_an_upcaster_fails_at_is_handled_as_the_projection_says() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    host.upload("flight_arrivals", test_support::component("flight-arrivals"), "").await;
    let build = host.deploy("flights", test_support::component("flights"), "").await;
    host.append_one("flight-1", "FlightArrived", json!({"nonsense": true})).await;
    host.until_state("flights", build, "halted").await;
    let error = host.build("flights", build).await["error"].clone();
    assert_eq!((&error["position"], &error["kind"]), (&json!(1), &json!("refused")));
    assert_eq!(error["upcaster"], json!({"name": "flight_arrivals", "version": 1}), "{error}");
    let shown = host.get("/v1/events?upcast=true").await;
    assert_eq!((shown.status, &shown.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("upcast_failed")));

    host.set_on_failure("flights", "skip").await;
    host.post("/v1/projections/flights/retry").await;
    host.until_state("flights", build, "active").await;
    until("the event is set aside", async || host.build("flights", build).await["dead_letters"] == 1).await;
}

/// The projections of the builds of an answer, each with the one build that it has there, when they are active.
async fn rebuilt(host: &Host, answer: &Value) -> Vec<(String, u64)> {
    let mut builds = Vec::new();
    for build in answer["builds"].as_array().unwrap() {
        let (name, number) = (build["projection"].as_str().unwrap().to_owned(), build["build"].as_u64().unwrap());
        host.until_state(&name, number, "active").await;
        builds.push((name, number));
    }
    builds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_reads_only_what_comes_out_of_an_upcaster_is_built_again_with_it_and_without_it() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    for (event_type, word) in [("A", "split"), ("B", "old"), ("Old", "split"), ("A", "left alone"), ("Counted", "x")] {
        host.append_one("s-1", event_type, json!(word)).await;
    }
    for (name, guest) in [("only_b", "only_b"), ("tally", "tally")] {
        let build = host.deploy(name, test_support::guest(guest), "").await;
        host.until_state(name, build, "active").await;
    }
    let words = async || {
        let rows = host.get("/v1/read-models/only_b/words?select=position,part,word&order=position").await.body;
        let word = |row: &Value| format!("{}.{} {}", row["position"], row["part"], row["word"].as_str().unwrap());
        rows.as_array().unwrap().iter().map(word).collect::<Vec<_>>()
    };
    let reads = async || {
        let shown = host.json("/v1/projections/only_b?reading=true").await;
        (shown["reading"]["log_types"].clone(), shown["reading"]["ignored"].clone())
    };
    let ignored = |types: &[&str]| -> Value {
        types.iter().map(|event_type| json!({"category": "s", "type": event_type})).collect()
    };
    assert_eq!(words().await, ["2.0 old"]);
    assert_eq!(reads().await, (json!(["B"]), ignored(&["A", "Counted", "Old"])));

    // `A` 1 becomes `A` and, if it is told to, `B`: `only_b` reads what comes out, `tally` reads neither.
    let split = host.upload("splits", test_support::upcaster("does_as_told"), "").await.body;
    assert_eq!(rebuilt(&host, &split).await, [("only_b".to_owned(), 2)]);
    assert_eq!(words().await, ["1.1 right", "2.0 old"]);
    assert_eq!(reads().await, (json!(["B", "A"]), ignored(&["Counted", "Old"])));
    // A new event takes the same way.
    let position = host.append_one("s-1", "A", json!("split")).await;
    until("the new event is split", async || words().await.contains(&format!("{position}.1 right"))).await;

    // `Old` becomes `A`, of which the other upcaster makes a `B`.
    let renamed = host.upload("renames", test_support::upcaster("renames"), "").await.body;
    assert_eq!(rebuilt(&host, &renamed).await, [("only_b".to_owned(), 3)]);
    assert_eq!(
        words().await,
        ["1.1 right".to_owned(), "2.0 old".to_owned(), "3.1 right".to_owned(), format!("{position}.1 right")]
    );
    assert_eq!(reads().await, (json!(["B", "A", "Old"]), ignored(&["Counted"; 1])));

    // Without the first one, nothing leads from `Old` to `B`.
    let deactivated = host.post("/v1/upcasters/splits/deactivate").await.body;
    assert_eq!(rebuilt(&host, &deactivated).await, [("only_b".to_owned(), 4)]);
    assert_eq!(words().await, ["2.0 old"]);
    assert_eq!(reads().await, (json!(["B"]), ignored(&["A", "Counted", "Old"])));
    let deactivated = host.post("/v1/upcasters/renames/deactivate").await.body;
    assert_eq!(deactivated["builds"], json!([]));
    assert_eq!(host.projection("tally").await["builds"].as_array().unwrap().len(), 1);
}

/// The first arrival in the shape that arrivals had first.
fn old_arrival() -> Value {
    json!({
        "day": "2013-01-01", "carrier": "B6", "tailnum": "N708JB", "route": "JFK-BOS",
        "scheduled_arrival": "2013-01-01T12:06:00Z", "actual_arrival": "2013-01-01T12:02:00Z", "air_time": "0:44", "miles": 187,
    })
}

/// Stores a component without deploying it; returns its version.
async fn store(host: &Host, name: &str, component: Vec<u8>) -> u64 {
    let stored = host.upload(name, component, "?deploy=false").await;
    assert!(
        stored.status.is_success() && stored.body["build"].is_null() && stored.body["builds"].is_null(),
        "{stored:?}"
    );
    stored.body["version"].as_u64().unwrap()
}

/// A host that has an old arrival in its log, and an active projection that reads it in its old shape.
async fn host_with_old_arrival(database: &TestDatabase) -> Host {
    let host = Host::start(database).await;
    host.append_one("flight-1", "FlightArrived", old_arrival()).await;
    let old = host.deploy("arrivals", test_support::guest("routes"), "").await;
    host.until_state("arrivals", old, "active").await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upcaster_and_its_projection_are_deployed_as_one_change_where_either_order_halts_a_build() {
    let databases = [TestDatabase::create().await, TestDatabase::create().await, TestDatabase::create().await];
    let (upcaster, next) = (test_support::component("flight-arrivals"), test_support::component("punctuality"));

    // The upcaster first: the projection as it was cannot handle what the upcaster makes of the event.
    let host = host_with_old_arrival(&databases[0]).await;
    let answer = host.upload("flight_arrivals", upcaster.clone(), "").await;
    host.until_state("arrivals", answer.body["builds"][0]["build"].as_u64().unwrap(), "halted").await;

    // The projection first: it cannot handle the event as it was.
    let host = host_with_old_arrival(&databases[1]).await;
    let build = host.deploy("arrivals", next.clone(), "").await;
    host.until_state("arrivals", build, "halted").await;

    let host = host_with_old_arrival(&databases[2]).await;
    // Another projection that reads the type, which takes part in the change without being named.
    host.deploy("flights", test_support::component("flights"), "?activate=manual").await;
    let versions = (store(&host, "flight_arrivals", upcaster).await, store(&host, "arrivals", next).await);
    assert_eq!(versions, (1, 2));
    let before = host.projection("arrivals").await;
    assert_eq!((&before["active_version"], before["builds"].as_array().unwrap().len()), (&json!(1), 1));
    let body = json!({"modules": [{"name": "arrivals", "version": 2}, {"name": "flight_arrivals", "version": 1}]});
    let deploy = async || host.send(host.request(Method::POST, "/v1/deployments").json(&body)).await;
    let answer = deploy().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        answer.body["modules"],
        json!([
            {"name": "arrivals", "version": 2, "kind": "projection"},
            {"name": "flight_arrivals", "version": 1, "kind": "upcaster"},
        ])
    );
    let builds = answer.body["builds"].as_array().unwrap().clone();
    assert_eq!((&builds[0]["projection"], &builds[1]["projection"]), (&json!("arrivals"), &json!("flights")));
    let build = |index: usize| builds[index]["build"].as_u64().unwrap();
    host.until_state("arrivals", build(0), "active").await;
    let pinned = json!([{"name": "flight_arrivals", "version": 1}]);
    for (index, name) in ["arrivals", "flights"].into_iter().enumerate() {
        assert_eq!(host.build(name, build(index)).await["upcasters"], pinned, "{name}");
    }
    let rows = host.get("/v1/read-models/arrivals/carrier_daily?select=carrier,arrived,on_time").await;
    assert_eq!(rows.body, json!([{"carrier": "B6", "arrived": 1, "on_time": 1}]), "{rows:?}");
    let causes = host.json("/v1/projections/arrivals/history").await.to_string();
    assert!(causes.contains("version 2 was deployed, with upcaster `flight_arrivals` version 1"), "{causes}");

    // The same again is the same: no build is begun, and the answer names those that there are. Only there is nothing left to replace.
    let mut again = answer.body.clone();
    let replaced = again["builds"][0].as_object_mut().unwrap().remove("replaces");
    assert_eq!(replaced, Some(json!({"build": 1, "version": 1})));
    assert_eq!(deploy().await.body, again);
    assert_eq!(host.projection("arrivals").await["active_build"], builds[0]["build"]);
}
