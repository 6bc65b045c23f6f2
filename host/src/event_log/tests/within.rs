//! Appends in a transaction of somebody else.

use super::*;
use crate::postgres::begin;

/// Appends one event to a stream.
fn one(name: &str, expected: ExpectedVersion, event: NewEvent) -> Append {
    Append { stream: stream(name), expected, events: vec![event] }
}

fn any(name: &str, event_type: &str) -> Append {
    one(name, ExpectedVersion::Any, event(event_type))
}

/// What is appended in place of a refused append.
fn refused(index: usize, error: &AppendError) -> Result<Append, String> {
    assert!(matches!(error, AppendError::Conflict { .. } | AppendError::IdTaken { .. }), "{error:?}");
    Ok(any("gnomon:r-refused", &format!("Refused{index}")))
}

impl TestLog {
    /// Appends in a transaction that has a row of its own as well.
    async fn append_within(&self, appends: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut transaction = begin(&self.pool).await.unwrap();
        let uncommitted = self.log.append_within(&mut transaction, appends, refused).await.unwrap();
        let results = uncommitted.results.clone();
        transaction.commit().await.unwrap();
        uncommitted.committed();
        results
    }

    /// Whether streams, types, tags, blocks and versions are what the events say.
    async fn check(&self) {
        assert_eq!(blocks::unnoted(&self.pool).await, 0);
        for (what, statement) in [
            (
                "versions of streams",
                "SELECT count(*) FROM (SELECT stream, count(*) AS events, max(version) AS version, max(position) AS last
                     FROM gnomon.events GROUP BY stream) AS counted
                 FULL JOIN gnomon.streams USING (stream)
                 WHERE (events, counted.version, last) IS DISTINCT FROM (streams.version, streams.version, last_position)",
            ),
            (
                "types",
                "SELECT count(*) FROM (SELECT DISTINCT split_part(stream, '-', 1) AS category, type FROM gnomon.events) AS found
                 FULL JOIN gnomon.event_types USING (category, type) WHERE found IS NULL OR event_types IS NULL",
            ),
            (
                "tags",
                "SELECT count(*) FROM (SELECT unnest(tags) AS tag, position FROM gnomon.events) AS found
                 FULL JOIN gnomon.event_tags USING (tag, position) WHERE found IS NULL OR event_tags IS NULL",
            ),
            (
                "the head and positions",
                "SELECT (SELECT position FROM gnomon.head) - count(*) + max(position) - count(*) FROM gnomon.events",
            ),
            (
                "stamps",
                "SELECT count(*) FROM (SELECT recorded_at, lag(recorded_at) OVER (ORDER BY position) AS before FROM gnomon.events)
                 AS stamps WHERE before > recorded_at",
            ),
        ] {
            let wrong: i64 = sqlx::query_scalar(statement).fetch_one(&self.pool).await.unwrap();
            assert_eq!(wrong, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn events_are_appended_with_the_transaction_and_told_after_it() {
    let test = TestLog::open().await;
    test.append("a-1", &["Before"]).await;
    let mut head = test.log.head();
    let (mut first, id) = (event("Given"), EventId::Given(Uuid::now_v7()));
    (first.id, first.tags) = (id, vec![Tag::new("x:1").unwrap()]);
    let mut transaction = begin(&test.pool).await.unwrap();
    sqlx::query("CREATE TABLE beside (number bigint)").execute(&mut *transaction).await.unwrap();
    let appends = vec![
        one("a-1", ExpectedVersion::Exact(StreamVersion(1)), first.clone()),
        any("b-1", "New"),
        one("a-1", ExpectedVersion::Exact(StreamVersion(2)), event("Next")),
    ];
    let uncommitted = test.log.append_within(&mut transaction, appends, refused).await.unwrap();
    let places: Vec<_> = uncommitted.results.iter().map(|result| result.as_ref().unwrap()).collect();
    let places: Vec<_> = places.iter().map(|place| (place.first_position.0, place.last_version.0)).collect();
    assert_eq!(places, [(2, 2), (3, 1), (4, 3)]);
    assert_eq!((test.all().await.len(), *head.borrow()), (1, Position(1)), "nobody sees them yet");
    transaction.commit().await.unwrap();
    uncommitted.committed();
    assert_eq!(*head.borrow_and_update(), Position(4));
    // From memory, as what this host appends.
    let page = test.log.read_batch(Position(1), 10, &Filter::default()).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.position.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(page.events[0].recorded_at, page.events[2].recorded_at);
    // The connection that appends was told of the new end, and goes on there.
    let appended = test.append("a-1", &["After"]).await;
    assert_eq!((appended.first_position, appended.first_version), (Position(5), StreamVersion(4)));
    assert!(test.was_one_statement().await);
    let conflict = append(&test.log, "b-1", ExpectedVersion::NoStream, vec![event("After")]).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { current: StreamVersion(1), .. }), "{conflict:?}");
    let repeat = append(&test.log, "a-1", ExpectedVersion::Any, vec![first]).await.unwrap();
    assert!(repeat.repeated && repeat.first_position == Position(2));
    test.check().await;
}

#[tokio::test]
async fn a_refused_append_is_told_in_its_place_and_a_repeat_is_found() {
    let test = TestLog::open().await;
    test.append("a-1", &["Before"]).await;
    let given = NewEvent { id: EventId::Given(Uuid::now_v7()), ..event("Given") };
    let again = || one("b-1", ExpectedVersion::NoStream, given.clone());
    assert!(test.append_within(vec![again()]).await[0].is_ok());
    let other = NewEvent { data: json(r#"{"other": true}"#), ..given.clone() };
    let results = test
        .append_within(vec![
            any("c-1", "First"),
            one("a-1", ExpectedVersion::NoStream, event("Wrong")),
            again(),
            one("c-1", ExpectedVersion::Exact(StreamVersion(1)), event("Second")),
            one("b-1", ExpectedVersion::Any, other),
        ])
        .await;
    assert_eq!(results[0].as_ref().unwrap().first_position, Position(3));
    assert!(matches!(&results[1], Err(AppendError::Conflict { current: StreamVersion(1), .. })), "{results:?}");
    let repeat = results[2].as_ref().unwrap();
    assert!(repeat.repeated && repeat.first_position == Position(2), "{repeat:?}");
    assert_eq!(results[3].as_ref().unwrap().first_position, Position(5));
    assert!(matches!(&results[4], Err(AppendError::IdTaken { position: Position(2), .. })), "{results:?}");
    let types: Vec<_> = test.all().await.into_iter().map(|(_, _, event_type)| event_type).collect();
    assert_eq!(types, ["Before", "Given", "First", "Refused1", "Second", "Refused4"]);
    // All of them are repeats: nothing is written, and others can append.
    assert!(test.append_within(vec![again()]).await[0].as_ref().unwrap().repeated);
    test.append("a-1", &["After"]).await;
    test.check().await;
}

/// As many as are copied, and across partitions.
#[tokio::test]
async fn many_events_are_appended() {
    let test = TestLog::open_with(EventLogSettings { partition_events: 100, ..EventLogSettings::default() }).await;
    test.append("a-1", &["Before"]).await;
    let appends = (0..700).map(|number| any(&format!("s-{}", number % 7), "Happened")).collect();
    let results = test.append_within(appends).await;
    let places = results.iter().map(|result| result.as_ref().unwrap().first_position.0);
    assert_eq!(places.collect::<Vec<_>>(), (2..=701).collect::<Vec<_>>());
    assert_eq!(*test.log.head().borrow(), Position(701));
    test.append("s-0", &["After"]).await;
    test.check().await;
}

/// A transaction that is not committed leaves nothing, wherever it ends: no event, no lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_dropped_at_any_await_leaves_nothing() {
    let test = TestLog::open().await;
    test.append("a-1", &["Before"]).await;
    let mut committed = 0;
    for polls in 0.. {
        let work = async {
            let mut transaction = begin(&test.pool).await.unwrap();
            let appends = vec![any("b-1", "Within"), one("a-1", ExpectedVersion::NoStream, event("Wrong"))];
            let uncommitted = test.log.append_within(&mut transaction, appends, refused).await.unwrap();
            transaction.commit().await.unwrap();
            uncommitted.committed();
        };
        let ended = dropped_after(polls, work).await;
        // Whoever comes next waits for nobody.
        test.append("a-1", &["After"]).await;
        let found = test.all().await.iter().filter(|(_, _, event_type)| event_type == "Within").count();
        // The commit may have gone through although nobody waited for its answer.
        assert!((committed..=committed + 1).contains(&found), "{found} after {committed}");
        committed = found;
        test.check().await;
        if ended {
            break;
        }
    }
    assert!(committed >= 1);
}

/// Polls a future so many times and drops it. Returns whether it has ended.
async fn dropped_after(polls: usize, work: impl Future<Output = ()>) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|()| true)
    })
    .await
}

/// Two hosts append on their own and within transactions, to the same streams, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn other_appends_of_two_hosts_lose_nothing_to_those_within_transactions() {
    const EACH: usize = 60;
    let test = TestLog::open_with(EventLogSettings { partition_events: 100, ..EventLogSettings::default() }).await;
    let other = test.other_host().await;
    let hosts = [(test.log.clone(), test.pool.clone()), (other, test.database.pool().await)];
    let mut writers = Vec::new();
    for (host, (log, pool)) in hosts.iter().enumerate() {
        for writer in 0..4 {
            let (log, pool) = (log.clone(), pool.clone());
            writers.push(tokio::spawn(async move {
                let (mut accepted, mut told) = (Vec::new(), 0);
                for number in 0..EACH {
                    let name = format!("s-{}", (writer + number) % 3);
                    let version = log.stream_version(&stream(&name)).await.unwrap();
                    let expected = ExpectedVersion::Exact(version);
                    if writer % 2 == 0 {
                        match append(&log, &name, expected, vec![event("Alone")]).await {
                            Ok(appended) => accepted.push((appended.first_position.0, name, appended.first_version.0)),
                            Err(AppendError::Conflict { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                        continue;
                    }
                    let mut transaction = begin(&pool).await.unwrap();
                    let append = one(&name, expected, event("Within"));
                    let uncommitted = log.append_within(&mut transaction, vec![append], refused).await.unwrap();
                    let result = uncommitted.results[0].clone();
                    // One in three is taken back.
                    if number % 3 == 0 {
                        transaction.rollback().await.unwrap();
                        continue;
                    }
                    transaction.commit().await.unwrap();
                    uncommitted.committed();
                    match result {
                        Ok(appended) => accepted.push((appended.first_position.0, name, appended.first_version.0)),
                        Err(_) => told += 1,
                    }
                }
                (host, accepted, told)
            }));
        }
    }
    let (mut accepted, mut told, mut of_host) = (Vec::new(), 0, [0, 0]);
    for writer in writers {
        let (host, more, refusals) = writer.await.unwrap();
        of_host[host] += more.len();
        accepted.extend(more);
        told += refusals;
    }
    accepted.sort();
    let all = test.all().await;
    let found: Vec<_> = (1..)
        .zip(&all)
        .filter(|(_, (name, ..))| name.starts_with("s-"))
        .map(|(position, (name, version, _))| (position, name.clone(), *version))
        .collect();
    assert_eq!(found, accepted);
    assert_eq!(all.len(), accepted.len() + told);
    assert!(of_host.iter().all(|count| *count > 0));
    // Each host heard of all, whoever appended it.
    for (log, _) in &hosts {
        log.head().wait_for(|head| head.0 == all.len() as u64).await.unwrap();
    }
    test.check().await;
}

#[tokio::test]
async fn only_the_host_appends_to_reserved_streams() {
    let test = TestLog::open().await;
    let reserved = append(&test.log, "gnomon:r-1", ExpectedVersion::Any, vec![event("ScheduleDue")]).await;
    assert!(matches!(reserved, Err(AppendError::Reserved(_))), "{reserved:?}");
    let line = (stream("gnomon:r-1"), event("ScheduleDue"));
    let reserved = test.log.import(vec![line], 1).await;
    assert!(matches!(reserved, Err(AppendError::Reserved(_))), "{reserved:?}");
    assert_eq!(test.all().await, []);
    test.log.append_own(vec![any("gnomon:r-1", "ScheduleDue")]).await.unwrap();
    assert_eq!(test.all().await.len(), 1);
    // Others may have such a name in part.
    test.append("gnomon-1", &["Happened"]).await;
}
