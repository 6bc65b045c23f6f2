//! Random streams, asked in random order, with snapshots of any spacing: what is told is what a plain model says, and in the end what the build
//! has.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;
use crate::subscriptions::OnFailure;

/// What the model knows of a basket.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Count, weight and time of each item.
    items: BTreeMap<String, (i64, Value, String)>,
    /// The label, and the version of the last event, of a basket that is there.
    basket: Option<(Value, u64)>,
}

impl Model {
    /// Folds an event; whether it can be.
    fn fold(&mut self, event: &RecordedEvent) -> bool {
        let data: Value = serde_json::from_str(event.data.as_str()).unwrap();
        let item = data["item"].as_str().unwrap_or_default().to_owned();
        let mut label = self.basket.as_ref().map_or(Value::Null, |(label, _)| label.clone());
        match event.event_type.as_str() {
            "Added" => {
                let time = event.time.to_string();
                let new = || (0, data["weight"].clone(), time);
                self.items.entry(item).or_insert_with(new).0 += data["count"].as_i64().unwrap();
            }
            "Removed" if self.items.remove(&item).is_none() => return false,
            "Removed" => {}
            "Labelled" => label = data["label"].clone(),
            "Cleared" => self.items.clear(),
            other => panic!("{other}"),
        }
        let is_there = !self.items.is_empty() || !label.is_null();
        self.basket = is_there.then_some((label, event.version.0));
        true
    }

    fn tables(&self, basket: &str) -> BTreeMap<String, Vec<Value>> {
        let items = self.items.iter().map(|(item, (count, weight, added_at))| {
            json!({"basket": basket, "item": item, "count": count, "weight": weight, "added_at": added_at})
        });
        let of_basket = self.basket.iter().map(
            |(label, version)| json!({"basket": basket, "label": label, "items": self.items.len(), "version": version}),
        );
        [("items".to_owned(), items.collect()), ("baskets".to_owned(), of_basket.collect())].into()
    }
}

/// What the model says of a stream: the rows after each version, from 0 on, and what became of each event.
struct Past {
    tables: Vec<BTreeMap<String, Vec<Value>>>,
    statuses: Vec<Status>,
}

impl Past {
    fn of(events: &[RecordedEvent], policy: OnFailure) -> Self {
        let (mut model, mut is_parked) = (Model::default(), false);
        let mut past = Self { tables: Vec::new(), statuses: Vec::new() };
        let basket = events[0].stream.as_str().strip_prefix("basket-").unwrap();
        past.tables.push(model.tables(basket));
        for event in events {
            let status = match () {
                () if event.event_type.as_str() == "Looked" => Status::PassedOver(PassedOver::Type),
                () if is_parked => Status::Waits,
                () if model.fold(event) => Status::Handled,
                () => {
                    is_parked = policy == OnFailure::Park;
                    Status::SetAside
                }
            };
            past.statuses.push(status);
            past.tables.push(model.tables(basket));
        }
        past
    }

    fn left_out(&self, version: u64) -> u64 {
        let until = &self.statuses[..usize::try_from(version).unwrap()];
        until.iter().filter(|status| matches!(status, Status::SetAside | Status::Waits)).count() as u64
    }
}

fn event(random: &mut StdRng) -> (&'static str, Value) {
    let item = format!("item {}", random.random_range(0..5));
    match random.random_range(0..100) {
        0..55 => {
            // Postgres writes a whole number without a fraction.
            let weight = random.random_bool(0.5).then(|| f64::from(random.random_range(-8..8)) / 4.0 + 0.125);
            ("Added", json!({"item": item, "count": random.random_range(1..9), "weight": weight}))
        }
        55..70 => ("Removed", json!({"item": item})),
        70..80 => ("Labelled", json!({"label": random.random_bool(0.5).then_some("for \"Ada\"")})),
        80..85 => ("Cleared", json!({})),
        _ => ("Looked", json!({"at": item})),
    }
}

/// The rows of a basket that the active build has, by table.
async fn build_rows(host: &TestHost, basket: &str) -> BTreeMap<String, Vec<Value>> {
    let mut tables = BTreeMap::new();
    for (table, key) in [("items", "item"), ("baskets", "basket")] {
        let rows = format!(
            "SELECT replace(to_json(row)::text, '+00:00', 'Z') FROM read_models.baskets_{table} AS row WHERE basket = $1 ORDER BY {key}"
        );
        let rows: Vec<String> = sqlx::query_scalar(&rows).bind(basket).fetch_all(&host.database.lookups).await.unwrap();
        tables.insert(table.to_owned(), rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect());
    }
    tables
}

/// The rows of a table that have the key of another one are replaced by that, or removed.
fn apply(rows: &mut BTreeMap<String, Vec<Value>>, change: &RowChange) {
    let read = |row: &Option<Box<serde_json::value::RawValue>>| -> Option<Value> {
        row.as_ref().map(|row| serde_json::from_str(row.get()).unwrap())
    };
    let (before, after) = (read(&change.before), read(&change.after));
    let rows = rows.get_mut(&change.table).unwrap();
    let key = |row: &Value| (row["basket"].clone(), row["item"].clone());
    let of = before.as_ref().or(after.as_ref()).map(key).unwrap();
    let found = rows.iter().position(|row| key(row) == of);
    assert_eq!(found.map(|index| rows[index].clone()), before);
    let changed: Vec<String> = change.columns.clone();
    match (found, after) {
        (Some(index), Some(after)) => {
            let differs = |column: &&String| rows[index][column.as_str()] != after[column.as_str()];
            let columns: Vec<String> = after.as_object().unwrap().keys().cloned().collect();
            let mut differing: Vec<&String> = columns.iter().filter(differs).collect();
            let mut changed: Vec<&String> = changed.iter().collect();
            differing.sort();
            changed.sort();
            assert_eq!(changed, differing);
            rows[index] = after;
        }
        (Some(index), None) => drop(rows.remove(index)),
        (None, Some(after)) => rows.push(after),
        (None, None) => panic!("nothing changes"),
    }
    rows.sort_by_key(|row| row["item"].to_string());
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn what_is_told_is_what_a_model_says_and_what_the_build_has() {
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let rounds: u64 = std::env::var("GNOMON_TEST_CASES").map_or(4, |cases| cases.parse().unwrap());
    let mut from_snapshots = 0;
    for round in 0..rounds {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(round));
        from_snapshots += one_round(&mut random).await;
    }
    assert!(from_snapshots > 0, "no snapshot was used");
}

/// Returns how many answers began at a snapshot.
async fn one_round(random: &mut StdRng) -> u64 {
    const STREAMS: [&str; 3] = ["basket-a", "basket-b", "basket-c"];
    let database = TestDatabase::create().await;
    let spacing = [1, 2, 3, 7, 10_000][random.random_range(0..5)];
    let host = host(&database, every(spacing)).await;
    let policy = [OnFailure::Skip, OnFailure::Park][random.random_range(0..2)];
    let baskets = name("baskets");
    host.deploy(&baskets, test_support::guest("baskets"), Activation::Auto).await;
    host.operations.set_on_failure(&baskets, policy).await.unwrap();
    let events_of_all = (0..random.random_range(60..240)).map(|index| {
        // Each has one event at least.
        let stream = if index < 3 { STREAMS[index] } else { STREAMS[random.random_range(0..3)] };
        let (event_type, data) = event(random);
        (stream.to_owned(), event_type, data)
    });
    for some in events_of_all.collect::<Vec<_>>().chunks(40) {
        host.append(some.iter().cloned()).await;
    }
    host.caught_up(&baskets).await;

    let mut from_snapshots = 0;
    let mut pasts = BTreeMap::new();
    for stream in STREAMS {
        let events = events(&host, stream).await;
        pasts.insert(stream, (Past::of(&events, policy), events));
    }
    for _ in 0..60 {
        let stream = STREAMS[random.random_range(0..3)];
        let (past, events) = &pasts[stream];
        let asked = Asked { host: &host, stream, projection: "baskets", version: None };
        let newest = events.len() as u64;
        let version = random.random_range(0..=newest);
        if random.random_bool(0.5) {
            written(&host).await;
        }
        let context = format!("{stream} at {version} of {newest}, {policy:?}, a snapshot each {spacing}");
        match random.random_range(0..4) {
            0 => {
                let instant = events.get(usize::try_from(version).unwrap()).map(|event| event.recorded_at.0 - 1);
                // Behind the last one: all of them, those of the same stamp as well.
                let instant = gnomon_values::Instant(instant.unwrap_or_else(|| events[events.len() - 1].recorded_at.0));
                let state = asked.state(At::Time(instant)).await.unwrap();
                let expected = events.iter().filter(|event| event.recorded_at <= instant).count();
                assert_eq!(state.version.0, expected as u64, "{context}");
                assert_eq!(tables(&state), past.tables[expected], "{context}");
            }
            1 | 2 => {
                let state = asked.at(version).await;
                assert_eq!(tables(&state), past.tables[usize::try_from(version).unwrap()], "{context}");
                assert_eq!(state.left_out, past.left_out(version), "{context}");
                let last = version.checked_sub(1).map(|last| &events[usize::try_from(last).unwrap()]);
                assert_eq!(state.event, last.map(|event| (event.position, event.recorded_at)), "{context}");
                assert_eq!(state.told.read, version - state.told.began_at.0, "{context}");
                from_snapshots += u64::from(state.told.began_at.0 > 0);
            }
            _ => from_snapshots += history(random, asked, past, events, version, &context).await,
        }
    }
    for stream in STREAMS {
        let asked = Asked { host: &host, stream, projection: "baskets", version: None };
        let state = asked.state(At::Newest).await.unwrap();
        let of_build = build_rows(&host, stream.strip_prefix("basket-").unwrap()).await;
        assert_eq!(tables(&state), of_build, "{stream}, {policy:?}, a snapshot each {spacing}");
        let verification = asked.verify().await;
        assert!(verification.wrong_snapshots.is_empty(), "{verification:?}");
        assert_eq!(verification.rows.as_ref().map(|rows| rows.different), Some(0), "{verification:?}");
    }
    host.projector.stop().await;
    from_snapshots
}

/// Asks for a page of the history.
async fn history(
    random: &mut StdRng,
    asked: Asked<'_>,
    past: &Past,
    events: &[RecordedEvent],
    version: u64,
    context: &str,
) -> u64 {
    let limit = random.random_range(1..12);
    // Some pages end with their bytes.
    let bytes = if random.random_bool(0.3) { random.random_range(1..2000) } else { usize::MAX };
    let direction = [Direction::Forward, Direction::Backward][random.random_range(0..2)];
    let page = asked.history(Some(version), PageSize { events: limit, bytes }, direction).await;
    let versions: Vec<u64> = page.events.iter().map(|event| event.event.version.0).collect();
    let newest = events.len() as u64;
    let mut expected: Vec<u64> = match direction {
        Direction::Forward => (version + 1..=newest).collect(),
        Direction::Backward => (1..version).rev().collect(),
    };
    expected.truncate(limit);
    assert!(expected.starts_with(&versions), "{versions:?}: {context}");
    assert!(
        versions.len() == expected.len() || (bytes < usize::MAX && !versions.is_empty()),
        "{versions:?}: {context}"
    );
    let last = versions.last().copied();
    let next = match direction {
        Direction::Forward => Some(last.unwrap_or(version)),
        Direction::Backward => last.filter(|last| *last > 1),
    };
    assert_eq!(page.next.map(|next| next.0), next, "{context}");
    for event in &page.events {
        let index = usize::try_from(event.event.version.0).unwrap();
        assert_eq!(event.event.id, events[index - 1].id, "{context}");
        assert_eq!(event.status, past.statuses[index - 1], "{context}");
        assert_eq!(event.failure.is_some(), event.status == Status::SetAside, "{context}");
        let mut rows = past.tables[index - 1].clone();
        event.changes.iter().for_each(|change| apply(&mut rows, change));
        assert_eq!(rows, past.tables[index], "{context}");
    }
    u64::from(page.told.began_at.0 > 0)
}
