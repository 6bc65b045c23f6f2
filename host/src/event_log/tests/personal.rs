//! Personal data: no way in writes it as it is, and no way out shows it as the log has it.

use std::{collections::BTreeSet, fs, path::Path};

use futures_util::StreamExt as _;
use serde_json::{Value, json as value};
use sqlx::PgPool;

use super::*;
use crate::{
    personal_data::{Declaration, KeysAt, PersonalData, PersonalDataError, SEALED_PREFIX, StartPersonalDataError},
    postgres::{begin, is_transient},
};

/// A log with personal data, of a type `Moved`: the name, whose subject is in the data, and a note, whose subject is in the metadata.
struct Personal {
    log: TestLog,
    keys: TestDatabase,
    data: PersonalData,
}

const ADA: &str = r#"{"id":"customer-1","name":"Ada Lovelace","amount":1.500}"#;

impl Personal {
    async fn open() -> Self {
        let (database, keys) = (TestDatabase::create().await, TestDatabase::create().await);
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let data = PersonalData::start(pool.clone(), Some(&at(&keys))).await.unwrap();
        let entries = vec![
            (Some("/id".to_owned()), vec!["/name".to_owned()], "null".to_owned()),
            (None, vec!["/note".to_owned()], "\"forgotten\"".to_owned()),
        ];
        data.declare("Moved", &Declaration::new(entries).unwrap()).await.unwrap();
        let log = EventLog::open_with(pool.clone(), EventLogSettings::default(), data.clone()).await.unwrap();
        Self { log: TestLog { log, pool, database }, keys, data }
    }

    /// The same log as another host sees it.
    async fn beside(&self, at: Option<&KeysAt>) -> EventLog {
        let pool = self.log.database.pool().await;
        let data = PersonalData::start(pool.clone(), at).await.unwrap();
        EventLog::open_with(pool, EventLogSettings::default(), data).await.unwrap()
    }

    async fn append(&self, events: Vec<NewEvent>) {
        append(&self.log.log, "customer-1", ExpectedVersion::Any, events).await.unwrap();
    }
}

fn at(keys: &TestDatabase) -> KeysAt {
    KeysAt::Postgres(Box::new(keys.connect_options()))
}

fn moved(data: &str) -> NewEvent {
    NewEvent { data: json(data), ..event("Moved") }
}

/// All that the tables of the log have, as text.
async fn dump(pool: &PgPool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'gnomon'::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT one::text FROM gnomon.\"{table}\" AS one"))
            .fetch_all(pool)
            .await
            .unwrap();
        all.extend(rows);
    }
    all
}

/// Every way out of the log, by the name of the method: what it gives of the first event.
async fn ways_out(log: &EventLog) -> Vec<(&'static str, Result<RecordedEvent, sqlx::Error>)> {
    let of_page = |page: LogPage| page.events.into_iter().next().unwrap();
    let all = Filter::default();
    let room = |_| std::future::ready(());
    let followed = async {
        let mut followed = std::pin::pin!(log.follow(Position(0), all.clone(), room));
        let (found, ()) = followed.next().await.unwrap().map_err(of_follower)?;
        let Some(Followed::Event(event)) = found.into_iter().next() else { panic!("no event") };
        Ok(*event)
    };
    let followed_stream = async {
        let mut followed = std::pin::pin!(log.follow_stream(stream("customer-1"), StreamVersion(0), room));
        let (events, ()) = followed.next().await.unwrap().map_err(of_follower)?;
        Ok(events.into_iter().next().unwrap())
    };
    vec![
        ("read", log.read(Direction::Forward, None, 10, &all).await.map(of_page)),
        ("read backward", log.read(Direction::Backward, Some(Position(2)), 10, &all).await.map(of_page)),
        ("read_batch", log.read_batch(Position(0), 10, &all).await.map(of_page)),
        // By COPY.
        ("read_batch of many", log.read_batch(Position(0), 10_000, &all).await.map(of_page)),
        ("read_at", log.read_at(&[Position(1)]).await.map(|events| events.into_iter().next().unwrap())),
        (
            "read_stream",
            log.read_stream(&stream("customer-1"), None, 10, Direction::Forward)
                .await
                .map(|page| page.unwrap().events.into_iter().next().unwrap()),
        ),
        ("follow", followed.await),
        ("follow_stream", followed_stream.await),
    ]
}

fn of_follower(error: FollowError) -> sqlx::Error {
    match error {
        FollowError::Postgres(error) => error,
        FollowError::Restored(position) => panic!("restored at {position}"),
    }
}

/// Whatever gives events to others is among the ways out that the next tests go, and whatever takes some is among the ways in. And nothing else reads their data.
#[test]
fn every_way_in_and_out_is_known() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/event_log");
    let (mut gives, mut takes) = (BTreeSet::new(), BTreeSet::new());
    for file in ["mod.rs", "pages.rs", "follow.rs"] {
        let text = fs::read_to_string(room.join(file)).unwrap();
        for signature in text.split("    pub ").chain(text.split("    pub(crate) ")).skip(1) {
            let Some(signature) = signature.split_once("{\n").map(|(signature, _)| signature) else { continue };
            let signature = signature.strip_prefix("async ").unwrap_or(signature);
            let Some(name) = signature.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next()) else {
                continue;
            };
            let answer = signature.split_once("->").map_or("", |(_, answer)| answer);
            if ["RecordedEvent", "LogPage", "StreamPage", "Followed"].iter().any(|of| answer.contains(of)) {
                gives.insert(name.to_owned());
            }
            if ["Vec<Append>", "Vec<Line>"].iter().any(|of| signature.contains(of)) {
                takes.insert(name.to_owned());
            }
        }
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(gives, names(&["follow", "follow_stream", "read", "read_at", "read_batch", "read_stream"]));
    assert_eq!(takes, names(&["append", "append_own", "append_within", "import"]));

    let mut readers = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
            let is_test = name.contains("tests") || name.contains("/bench/");
            if !is_test
                && text.contains("gnomon.events")
                && text.contains("data")
                && text.contains("SELECT position, version")
            {
                readers.insert(name);
            }
        }
    }
    // The second one counts bytes.
    assert_eq!(readers, names(&["src/event_log/row.rs", "src/event_log/summary/counted.rs"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_out_shows_what_was_appended_and_the_log_has_nothing_of_it() {
    let personal = Personal::open().await;
    personal.append(vec![moved(ADA), event("Other")]).await;
    // From what the host has appended last, and from Postgres.
    for log in [personal.log.log.clone(), personal.beside(Some(&at(&personal.keys))).await] {
        for (way, found) in ways_out(&log).await {
            let found = found.unwrap();
            assert_eq!((found.data.as_str(), found.metadata.is_none()), (ADA, true), "{way}");
            assert!(found.is_personal, "{way}");
        }
    }
    let dump = dump(&personal.log.pool).await;
    assert!(!dump.contains("Lovelace") && dump.contains(SEALED_PREFIX) && dump.contains("1.500"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_encrypts() {
    let personal = Personal::open().await;
    let log = &personal.log.log;
    let note = |name: &str| NewEvent {
        metadata: Some(json(r#"{"subjects":["customer-1"]}"#)),
        ..moved(&format!(r#"{{"note":"by {name} Lovelace"}}"#))
    };
    let to =
        |name: &str| Append { stream: stream("customer-1"), expected: ExpectedVersion::Any, events: vec![note(name)] };
    log.append(vec![to("append")], None).await.unwrap();
    let condition = AppendCondition { fail_if_events_match: query(&[(&["Never"], &[])]), after: Some(Position(0)) };
    log.append(vec![to("condition")], Some(condition)).await.unwrap();
    log.append_own(vec![to("append_own")]).await.unwrap();
    log.import(vec![(stream("customer-1"), note("import"))], 1).await.unwrap();
    // By COPY.
    log.import((0..300).map(|_| (stream("customer-2"), note("many"))).collect(), 1).await.unwrap();
    let mut transaction = begin(&personal.log.pool).await.unwrap();
    let refused = Append { events: vec![NewEvent { metadata: None, ..note("refused") }], ..to("refused") };
    let instead = |index: usize, error: &AppendError| {
        assert!(index == 1 && error.to_string().contains("subjects"), "{error}");
        Ok(Append { events: vec![event("Refused")], ..to("instead") })
    };
    let uncommitted = log.append_within(&mut transaction, vec![to("append_within"), refused], instead).await.unwrap();
    let results: Vec<bool> = uncommitted.results.iter().map(Result::is_ok).collect();
    assert_eq!(results, [true, false]);
    transaction.commit().await.unwrap();
    uncommitted.committed();
    assert!(!dump(&personal.log.pool).await.contains("Lovelace"));
    let page = log.read_stream(&stream("customer-1"), None, 100, Direction::Forward).await.unwrap().unwrap();
    let found: Vec<String> = page.events.iter().map(|event| event.data.as_str().to_owned()).collect();
    let written = ["append", "condition", "append_own", "import", "append_within"]
        .map(|name| format!(r#"{{"note":"by {name} Lovelace"}}"#));
    assert_eq!(found[..5], written);
    assert_eq!(found[5], "{}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_encrypted_is_refused_and_says_where() {
    let personal = Personal::open().await;
    let log = &personal.log.log;
    let nobody = moved(r#"{"name":"Ada"}"#);
    let refused = append(log, "customer-1", ExpectedVersion::Any, vec![event("Other"), nobody.clone()]).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "event 1 of stream `customer-1`: its field `/name` is personal, and `/id` does not say whose it is: there is nothing"
    );
    let refused = log.import(vec![(stream("a-1"), event("Other")), (stream("a-1"), nobody)], 7).await.unwrap_err();
    assert!(refused.to_string().starts_with("line 8: its field `/name`"), "{refused}");
    // Also of a type of which nothing is declared: it would be taken for one as soon as something is.
    let looks = NewEvent { data: json(r#"["gnomon:encrypted:1:"]"#), ..event("Other") };
    let refused = append(log, "a-1", ExpectedVersion::Any, vec![looks]).await.unwrap_err();
    assert!(refused.to_string().contains("`/0` of its data begins with `gnomon:encrypted:1:`"), "{refused}");
    assert_eq!(log.read_head().await.unwrap(), Position(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_one_though_it_is_encrypted_again() {
    let personal = Personal::open().await;
    let event = NewEvent { id: EventId::Given(Uuid::from_u128(1)), ..moved(ADA) };
    for log in [personal.log.log.clone(), personal.beside(Some(&at(&personal.keys))).await] {
        for _ in 0..2 {
            let appended = append(&log, "customer-1", ExpectedVersion::NoStream, vec![event.clone()]).await.unwrap();
            assert_eq!(appended.first_position, Position(1));
        }
        let imported = log.import(vec![(stream("customer-1"), event.clone())], 1).await.unwrap();
        assert_eq!((imported.imported, imported.repeated), (0, 1));
    }
    let other = NewEvent { data: json(&ADA.replace("Ada", "Bea")), ..event };
    let refused = append(&personal.log.log, "customer-1", ExpectedVersion::Any, vec![other]).await.unwrap_err();
    assert!(matches!(refused, AppendError::IdTaken { difference: "has other data", .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_read_as_a_marked_absence_and_nothing_else_changes() {
    let personal = Personal::open().await;
    let other = ADA.replace("customer-1", "customer-2");
    personal.append(vec![moved(ADA), moved(&other)]).await;
    let before: Vec<(Uuid, String)> = read(&personal.log.pool).await;
    assert!(personal.data.forget("customer-1").await.unwrap().is_some());
    assert!(personal.data.forget("customer-1").await.unwrap().is_none());
    for (way, found) in ways_out(&personal.log.log).await {
        let found = found.unwrap();
        assert_eq!(found.data.as_str(), r#"{"id":"customer-1","name":null,"amount":1.500}"#, "{way}");
        let metadata: Value = serde_json::from_str(found.metadata.unwrap().as_str()).unwrap();
        assert_eq!(metadata, value!({"forgotten": ["/name"]}), "{way}");
    }
    let events = personal.log.log.read_at(&[Position(2)]).await.unwrap();
    assert_eq!((events[0].data.as_str(), events[0].metadata.is_none()), (other.as_str(), true));
    assert_eq!(read(&personal.log.pool).await, before, "the log itself");
    // Another host reads with the key for some seconds, at most.
    let beside = personal.beside(Some(&at(&personal.keys))).await;
    assert!(!beside.read_at(&[Position(1)]).await.unwrap()[0].data.as_str().contains("Ada"));
    // Who comes back has another key.
    personal.append(vec![moved(ADA)]).await;
    assert_eq!(personal.log.log.read_at(&[Position(3)]).await.unwrap()[0].data.as_str(), ADA);
}

async fn read(pool: &PgPool) -> Vec<(Uuid, String)> {
    sqlx::query_as("SELECT id, data::text FROM gnomon.events ORDER BY position").fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_wrong_keys_nothing_is_read_and_nothing_is_taken_for_forgotten() {
    let personal = Personal::open().await;
    personal.append(vec![moved(ADA), event("Other")]).await;
    let wrong = TestDatabase::create().await;
    let log = personal.beside(Some(&at(&wrong))).await;
    for (way, found) in ways_out(&log).await {
        let error = found.unwrap_err();
        assert!(is_transient(&error), "{way}: {error}");
        assert!(
            matches!(PersonalDataError::within(&error), Some(PersonalDataError::UnknownKey { position: 1, .. })),
            "{way}"
        );
    }
    // What has no personal data is read.
    assert_eq!(log.read_at(&[Position(2)]).await.unwrap().len(), 1);
    // Without keys, a host does not even start; and one that was there before takes part in nothing that is personal.
    let pool = personal.log.database.pool().await;
    let refused = PersonalData::start(pool.clone(), None).await.unwrap_err();
    assert!(
        matches!(&refused, StartPersonalDataError::NoKeys { event_type, .. } if event_type == "Moved"),
        "{refused}"
    );
    let log = EventLog::open(pool, EventLogSettings::default()).await.unwrap();
    for (way, found) in ways_out(&log).await {
        let error = found.unwrap_err();
        assert!(matches!(PersonalDataError::within(&error), Some(PersonalDataError::NoKeys)), "{way}: {error}");
    }
    let refused = append(&log, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap_err();
    assert!(matches!(refused, AppendError::NoKeys(_)), "{refused}");
}

/// A host that runs without keys when something is declared elsewhere appends nothing of it as it is, once the declaration counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_counts_on_all_hosts_when_it_is_answered() {
    let (database, keys) = (TestDatabase::create().await, TestDatabase::create().await);
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    let without = EventLog::open(database.pool().await, EventLogSettings::default()).await.unwrap();
    append(&without, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap();
    let data = PersonalData::start(pool.clone(), Some(&at(&keys))).await.unwrap();
    let entries = vec![(Some("/id".to_owned()), vec!["/name".to_owned()], "null".to_owned())];
    let declaration = Declaration::new(entries).unwrap();
    let declared = data.declare("Moved", &declaration).await.unwrap();
    assert_eq!(declared.since, Some(1));
    assert_eq!(data.declared().await.unwrap(), std::slice::from_ref(&declared));
    assert_eq!(data.declare("Moved", &declaration).await.unwrap(), declared, "it is so already");
    let refused = append(&without, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap_err();
    assert!(matches!(refused, AppendError::NoKeys(_)), "{refused}");
    // Earlier events stay as they are.
    let log = EventLog::open_with(pool, EventLogSettings::default(), data.clone()).await.unwrap();
    let found = &log.read_at(&[Position(1)]).await.unwrap()[0];
    assert_eq!((found.data.as_str(), found.is_personal), (ADA, false));
    data.remove("Moved").await.unwrap();
    assert!(data.remove("Moved").await.is_err() && data.declared().await.unwrap().is_empty());
    append(&log, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap();
    let found: Vec<(Uuid, String)> = read(&database.pool().await).await;
    assert_eq!(found[1].1, ADA, "as it is again");
}

/// While the keys are away, nothing is appended that needs one, and all else is.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_what_is_personal_waits() {
    let personal = Personal::open().await;
    personal.append(vec![moved(ADA)]).await;
    let log = personal.beside(Some(&at(&personal.keys))).await;
    let admin = personal.keys.admin_pool().await;
    sqlx::raw_sql("ALTER TABLE gnomon_keys.subject_keys RENAME TO away").execute(&admin).await.unwrap();
    let error = log.read_at(&[Position(1)]).await.unwrap_err();
    assert!(matches!(PersonalDataError::within(&error), Some(PersonalDataError::Store(_))), "{error}");
    append(&log, "other-1", ExpectedVersion::Any, vec![event("Other")]).await.unwrap();
    let refused = append(&log, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap_err();
    assert!(matches!(refused, AppendError::NoKeys(_)), "{refused}");
    sqlx::raw_sql("ALTER TABLE gnomon_keys.away RENAME TO subject_keys").execute(&admin).await.unwrap();
    append(&log, "customer-1", ExpectedVersion::Any, vec![moved(ADA)]).await.unwrap();
    assert_eq!(log.read_at(&[Position(1)]).await.unwrap()[0].data.as_str(), ADA);
}
