//! Hosts that end, lose their leases, or work at the same time: what a reactor does is done once.

use std::{sync::Arc, task::Poll};

use serde_json::json;

use super::*;
use crate::{
    event_log::{Append, EventId, ExpectedVersion, NewEvent, tests as log_tests},
    outbox::{MessageKind, NewMessage, SinkName},
    postgres::PgTimestamp,
    reactor_engine::{
        commit::{Outcome, commit},
        due::append_due,
        effects::Carried,
        stop::Stop,
        worker::Worker,
    },
    reactors::{Schedule, ScheduleChange},
    read_model::{Table, TableSet, Value, WriteSet},
    runtime::effect_id,
    subscriptions::{self, Batches, Step},
};

/// Polls a future so many times and drops it. Returns whether it has ended.
pub(super) async fn dropped_after(polls: usize, work: impl Future<Output = ()>) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|()| true)
    })
    .await
}

impl TestReactor {
    /// The tables of the reactor.
    async fn tables(&self) -> (TableSet, Vec<Arc<Table>>) {
        let reactor = self.reactor().await;
        let tables: Vec<_> = reactor.tables.iter().map(|table| Arc::new(Table::check(table).unwrap())).collect();
        (TableSet::new(reactor.id.schema(), &tables), tables)
    }

    /// How often each kind of thing was done: rows, events, messages, schedules; and the checkpoint.
    async fn counts(&self) -> [i64; 5] {
        let schema = self.reactor().await.id.schema();
        let [rows, events, messages, schedules, checkpoint]: [i64; 5] = sqlx::query_scalar::<_, Vec<i64>>(&format!(
            "SELECT ARRAY[(SELECT count(*) FROM {schema}.heard), (SELECT count(*) FROM gnomon.events WHERE type = 'Done'),
                    (SELECT count(*) FROM gnomon.outbox), (SELECT count(*) FROM gnomon.schedules),
                    (SELECT checkpoint FROM gnomon.subscriptions)]"
        ))
        .fetch_one(&self.host.database.lookups)
        .await
        .unwrap()
        .try_into()
        .unwrap();
        [rows, events, messages, schedules, checkpoint]
    }

    /// Commits a step of one event that does one thing of each kind.
    async fn commit_one(&self, work: &Work, from: u64) -> Result<(), Stop> {
        let position = Position(from + 1);
        let (tables, declared) = self.tables().await;
        let lineage = work.job.reactor.lineage;
        let event = NewEvent { id: EventId::Given(effect_id(lineage, position, 0)), ..log_tests::event("Done") };
        let append =
            Append { stream: log_tests::stream("note-1"), expected: ExpectedVersion::Any, events: vec![event] };
        let message = NewMessage {
            traceparent: None,
            id: effect_id(lineage, position, 1),
            reactor: "obeys".to_owned(),
            sink: SinkName::new("mail").unwrap(),
            kind: MessageKind::Publish,
            key: "told-1".to_owned(),
            position,
            number: 1,
            message_type: "told".to_owned(),
            subject: None,
            data: log_tests::json("1"),
            time: PgTimestamp(0),
        };
        let (name, due_at) = (format!("at {position}"), PgTimestamp(4_000_000_000_000_000));
        let schedule = Schedule { name, due_at, data: log_tests::json("[]"), position, number: 2 };
        let carried = vec![
            Carried::Append { append, position, number: 0 },
            Carried::Message(message),
            Carried::Schedule(ScheduleChange::Set(schedule)),
        ];
        let mut writes = WriteSet::new(&declared);
        let index = declared.iter().position(|table| table.name().as_str() == "heard").unwrap();
        let at = i64::try_from(position.0).unwrap();
        writes.put(index, vec![Value::I64(at), Value::Text("told".to_owned()), Value::I64(at - 1)]);
        let step = Step { from: Position(from), to: position, events_per_second: 0.0, batches: Batches::one(1) };
        let outcome = Outcome { carried, ..Outcome::default() };
        commit(work, &tables, &step, &writes, outcome).await.map(drop)
    }

    /// Whether each event that told the reactor something was answered once, with a row, an event and a message.
    async fn check_once(&self, told: usize) {
        self.handled().await;
        let heard = self.heard().await;
        let heard: Vec<_> = heard.iter().filter(|(_, what, _)| what == "told").collect();
        assert_eq!(heard.len(), told);
        let mut done: Vec<u64> = Vec::new();
        for event in self.done().await.iter().filter(|event| event.event_type.as_str() == "Done") {
            let [position, _]: [u64; 2] = serde_json::from_str(event.data.as_str()).unwrap();
            done.push(position);
        }
        let of_rows: Vec<u64> = heard.iter().map(|(position, ..)| position.cast_unsigned()).collect();
        assert_eq!(done, of_rows, "in the order of the events");
        let of_messages: Vec<u64> =
            self.messages().await.iter().map(|(position, ..)| position.cast_unsigned()).collect();
        assert_eq!(of_messages, of_rows);
        let before: Vec<i64> = self.heard().await.into_iter().map(|(_, _, before)| before).collect();
        assert_eq!(before, (0..before.len() as i64).collect::<Vec<_>>(), "each was counted once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_dropped_at_any_await_does_all_or_nothing() {
    let test = TestReactor::idle().await;
    let events = (0..300).map(|_| ("other-1".to_owned(), "Other", json!({})));
    test.host.append(events).await;
    let mut done = 0;
    for polls in 0.. {
        let work = test.work().await;
        let from = subscriptions::checkpoint(&work.shared.pool, work.lease).await.unwrap().0;
        assert_eq!(from, done, "the next step begins where the last one ended, or nothing has changed");
        let ended = dropped_after(polls, async { test.commit_one(&work, from).await.unwrap() }).await;
        // Whoever comes next waits for the end of the transaction, and finds the lock of the log free.
        drop(test.work().await);
        test.host.append([("other-1".to_owned(), "Other", json!({}))]).await;
        let counts = test.counts().await;
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?} after {polls} polls");
        done = counts[0].cast_unsigned();
        if ended {
            break;
        }
    }
    assert!(done >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_whose_lease_was_taken_away_does_nothing() {
    let test = TestReactor::idle().await;
    test.host.append((0..3).map(|_| ("other-1".to_owned(), "Other", json!({})))).await;
    let old = test.work().await;
    let new = test.work().await;
    let lost = test.commit_one(&old, 0).await.unwrap_err();
    assert!(matches!(lost, Stop::LeaseLost), "{lost:?}");
    assert!(matches!(append_due(&old).await.unwrap_err(), Stop::LeaseLost));
    assert_eq!(test.counts().await, [0; 5]);
    test.commit_one(&new, 0).await.unwrap();
    // A step that was made is not made again.
    let again = test.commit_one(&new, 0).await.unwrap_err();
    assert!(matches!(again, Stop::LeaseLost), "{again:?}");
    assert_eq!(test.counts().await, [1; 5]);
}

/// Each time the holder of the lease ends somewhere: before it has begun, while the module works, while it commits, while a schedule is due.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_dropped_at_any_await_loses_and_repeats_nothing() {
    const TIMES: usize = 60;
    let test = TestReactor::idle().await;
    for polls in 0..TIMES {
        let orders = json!([append("note-1"), {"publish": "told"}, schedule(&format!("due {polls}"), 0)]);
        test.tell(&format!("told-{}", polls % 3), orders).await;
        let worker = Worker::new(test.work().await);
        let stop = worker.stop();
        tokio::select! {
            _ = dropped_after(polls, worker.run()) => {}
            // It waits for more, and is polled no more.
            () = test.handled() => stop.cancel(),
        }
    }
    let host = test.other_host().await;
    test.check_once(TIMES).await;
    test_support::until("each schedule was due once", async || {
        let due = test.done().await.iter().filter(|event| event.event_type.as_str() == "ScheduleDue").count();
        assert!(due <= TIMES, "{due}");
        due == TIMES && test.schedules().await.is_empty()
    })
    .await;
    test.check_once(TIMES).await;
    host.reactors.stop().await;
}

/// Two hosts, one of which stops and another begins, while an operator takes the lease away again and again, and clients append.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_come_and_go_do_everything_once() {
    const TOLD: usize = 200;
    let test = TestReactor::start().await;
    let other = test.other_host().await;
    let telling = async {
        for number in 0..TOLD {
            test.tell(&format!("told-{}", number % 5), json!([append("note-1"), {"publish": "told"}])).await;
        }
    };
    let disturbing = async {
        for turn in 0..6 {
            let handled = test.heard().await.len();
            test_support::until("something more is handled", async || {
                let found = test.heard().await.len();
                found > handled || found == TOLD
            })
            .await;
            match turn {
                1 => test.host.reactors.stop().await,
                _ => {
                    // It may be paused only while it runs, which it does.
                    other.operations.pause_reactor(&test.name).await.unwrap();
                    other.operations.resume_reactor(&test.name).await.unwrap();
                }
            }
        }
    };
    let ((), ()) = tokio::join!(telling, disturbing);
    test.check_once(TOLD).await;
    other.reactors.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_host_is_tried_again_and_then_fails_the_reactor() {
    let test = TestReactor::start().await;
    test.host.append([("told-1".to_owned(), "Told", json!([{"publish": "panic in the worker task"}]))]).await;
    let why = test.stopped().await;
    assert!(why.starts_with("the host panicked 5 times in a row behind position 0: "), "{why}");
    assert_eq!(test.summary().await.work, reactors::Work::Failed);
}
