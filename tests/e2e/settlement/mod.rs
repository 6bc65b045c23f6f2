//! Transfers between accounts, whose host is killed at every step: each is settled once, or given back once, as if nothing had happened.

mod clearing_house;

use std::collections::BTreeMap;

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use self::clearing_house::ClearingHouse;
use crate::support::{Doubt, Host, Line, Postgres, Proxy, Whose, until};

/// What each transfer moves.
const AMOUNT: i64 = 10;
/// With which a host is started: what it held when it was killed is free again soon.
const OPTIONS: [&str; 2] = ["--lease=1", "--first-retry-pause=0.05"];

/// A step of a transfer at which the host is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The reactor has seen the request, and commits the withdrawal, the call and the time limit.
    Begins,
    /// The clearing house has got the call, and has not answered.
    IsAsked,
    /// The clearing house has answered, and the answer is appended.
    IsAnswered,
    /// The reactor has seen the answer, and commits the deposit, or gives the money back.
    Ends,
    /// The clearing house is asked to revoke what may be cleared, and has not answered.
    IsRevoked,
    /// It has answered that, and the answer is appended.
    RevocationIsAnswered,
    /// The time limit is over, and the event that says so is appended.
    IsDue,
    /// The reactor has seen that the time is over, and gives the money back.
    EndsLate,
}

impl Step {
    /// What the commit at which the host is killed writes: events of one of these types, which name this. `None` if it is not killed at one.
    fn writes(self, transfer: &str) -> Option<(&'static [&'static str], String)> {
        let of_transfer = format!("transfer-{transfer}");
        Some(match self {
            Self::IsAsked | Self::IsRevoked => return None,
            Self::Begins => (&["MoneyWithdrawn"], of_transfer),
            Self::IsAnswered => (&["CallSucceeded", "CallFailed"], transfer.to_owned()),
            Self::RevocationIsAnswered => (&["CallSucceeded", "CallFailed"], format!("revoke {transfer}")),
            Self::IsDue => (&["ScheduleDue"], transfer.to_owned()),
            Self::Ends | Self::EndsLate => (&["TransferSettled", "TransferFailed"], of_transfer),
        })
    }
}

/// The steps of a transfer that is cleared, refused, or answered too late, each with what becomes of the commit at which the host is
/// killed, if it is at one.
fn cases() -> Vec<(&'static str, Step, Option<Doubt>)> {
    let commits = [Some(Doubt::Lost), Some(Doubt::AnswerLost)];
    let mut cases = Vec::new();
    for (outcome, steps) in [
        ("cleared", &[Step::Begins, Step::IsAsked, Step::IsAnswered, Step::Ends][..]),
        ("refused", &[Step::IsAnswered, Step::Ends, Step::IsRevoked, Step::RevocationIsAnswered]),
        ("late", &[Step::IsDue, Step::EndsLate]),
    ] {
        for step in steps {
            let doubts = if step.writes("").is_some() { &commits[..] } else { &[None] };
            cases.extend(doubts.iter().map(|doubt| (outcome, *step, *doubt)));
        }
    }
    cases
}

/// Hosts, one after the other, and what is around them.
struct Bank {
    host: Host,
    house: ClearingHouse,
    /// Past the proxy.
    session: PgConnection,
}

impl Bank {
    /// Starts a host on the database of a URL, which `database` reaches without the proxy.
    async fn start(url: &str, database: &str) -> Self {
        let house = ClearingHouse::start().await;
        let host = Host::start_on(url, &OPTIONS).await;
        // A try may take as long as the test holds it.
        let sink = json!({"kind": "endpoint", "url": house.url(), "timeout_seconds": 60});
        let answer = host.send(host.request(Method::PUT, "/v1/sinks/clearing").json(&sink)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let answer = host.upload("settlement", test_support::component("settlement"), "").await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        Self { host, house, session: PgConnection::connect(database).await.unwrap() }
    }

    async fn request(&self, transfer: &str) {
        let request = json!({"from": "1", "to": "2", "amount": AMOUNT, "currency": "EUR"});
        self.host.append_one(&format!("transfer-{transfer}"), "TransferRequested", request).await;
    }

    async fn operate(&self, verb: &str) {
        let answer = self.host.post(&format!("/v1/reactors/settlement/{verb}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// Lets the time limits of all transfers be over.
    async fn end_time(&mut self) {
        let over = "UPDATE gnomon.schedules SET due_at = clock_timestamp()";
        assert_eq!(sqlx::query(over).execute(&mut self.session).await.unwrap().rows_affected(), 1);
    }

    /// Starts the host again after it was killed. What it had claimed would be free when the time of a try is over.
    async fn restart(&mut self) {
        let free = "UPDATE gnomon.outbox_keys SET due_at = clock_timestamp()";
        sqlx::query(free).execute(&mut self.session).await.unwrap();
        self.host.restart().await;
    }

    /// Waits until nothing is left to be done for a transfer.
    async fn ended(&mut self, transfer: &str) {
        until(&format!("{transfer} has ended"), async || {
            let ended = self.host.json("/v1/events?types=TransferSettled,TransferFailed&limit=1000").await;
            let ended = ended["events"].as_array().unwrap();
            if !ended.iter().any(|event| event["stream"] == format!("transfer-{transfer}")) {
                return false;
            }
            let waiting: i64 = sqlx::query_scalar(
                "SELECT (SELECT count(*) FROM gnomon.outbox WHERE state = 'pending') + (SELECT count(*) FROM gnomon.schedules)",
            )
            .fetch_one(&mut self.session)
            .await
            .unwrap();
            let reactor = self.host.json("/v1/reactors/settlement").await;
            assert_eq!(reactor["error"], Value::Null);
            waiting == 0 && reactor["checkpoint"] == reactor["head"]
        })
        .await;
    }

    /// What is in the log, in its order: stream, type, and the data of what no id or number of tries is in.
    async fn log(&self) -> Vec<(String, String, Value)> {
        let page = self.host.json("/v1/events?limit=1000").await;
        let events = page["events"].as_array().unwrap();
        assert!(events.len() < 1000);
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let event = |event: &Value| {
            let (stream, data) = (text(event, "stream"), &event["data"]);
            let is_own = stream.starts_with("gnomon:");
            (stream, text(event, "type"), if is_own { data["name"].clone() } else { data.clone() })
        };
        events.iter().map(event).collect()
    }

    /// One transfer, with nothing in its way.
    async fn transfer(&mut self, transfer: &str) {
        if transfer.starts_with("late-") {
            self.house.hold("clear", transfer);
            self.request(transfer).await;
            self.house.asked("clear", transfer).await;
            self.end_time().await;
            // Whoever begins to work on the reactor looks at the schedules.
            self.operate("pause").await;
            self.operate("resume").await;
            self.gave_back(transfer).await;
            self.house.release();
        } else {
            self.request(transfer).await;
        }
        self.ended(transfer).await;
    }

    /// Waits until the money of a transfer was given back, and what may be cleared is revoked.
    async fn gave_back(&self, transfer: &str) {
        until(&format!("{transfer} has failed"), async || {
            let page = self.host.json("/v1/events?types=TransferFailed,CallSucceeded&limit=1000").await;
            let events = page["events"].as_array().unwrap();
            events.iter().any(|event| event["stream"] == format!("transfer-{transfer}"))
                && events.iter().any(|event| event["data"]["name"] == format!("revoke {transfer}"))
        })
        .await;
    }

    /// Checks that the commit that was cut is the one that writes these events: they are there if only its answer was lost.
    async fn holds(&mut self, types: &[&str], name: &str, doubt: Doubt) {
        let found = "SELECT EXISTS (SELECT FROM gnomon.events
            WHERE type = ANY($1) AND $2 IN (stream, data->>'name', data->>'reference'))";
        let mut is_there = async || -> bool {
            sqlx::query_scalar(found).bind(types).bind(name).fetch_one(&mut self.session).await.unwrap()
        };
        if doubt == Doubt::Lost {
            assert!(!is_there().await, "{types:?} of {name} was committed before the commit that was cut");
        } else {
            until(&format!("{types:?} of {name} is committed"), is_there).await;
        }
    }

    /// One transfer, whose host is killed at a step.
    async fn interrupted(&mut self, proxy: &Proxy, transfer: &str, step: Step, doubt: Option<Doubt>) {
        let before = proxy.commits_cut();
        let end_at = |passing| proxy.end_at_commit(passing, Whose::OfAppends, doubt.unwrap());
        let action = if matches!(step, Step::IsRevoked | Step::RevocationIsAnswered) { "revoke" } else { "clear" };
        if step == Step::Begins {
            self.operate("pause").await;
            self.request(transfer).await;
            end_at(0);
            // Its answer may need what is cut then.
            tokio::spawn(self.host.request(Method::POST, "/v1/reactors/settlement/resume").send());
        } else {
            self.house.hold(action, transfer);
            self.request(transfer).await;
            self.house.asked(action, transfer).await;
        }
        match step {
            Step::Begins | Step::IsAsked | Step::IsRevoked => {}
            Step::IsAnswered | Step::RevocationIsAnswered => {
                end_at(0);
                self.house.release();
            }
            Step::Ends => {
                // The answer is appended first.
                end_at(1);
                self.house.release();
            }
            Step::IsDue | Step::EndsLate => {
                self.host.kill();
                self.end_time().await;
                end_at(usize::from(step == Step::EndsLate));
                self.restart().await;
            }
        }
        if doubt.is_some() {
            until(&format!("the commit of {transfer} is cut"), async || proxy.commits_cut() > before).await;
        }
        self.host.kill();
        if let (Some((types, name)), Some(doubt)) = (step.writes(transfer), doubt) {
            self.holds(types, &name, doubt).await;
        }
        proxy.set(Line::Open);
        self.restart().await;
        if transfer.starts_with("late-") {
            self.gave_back(transfer).await;
        }
        self.house.release();
        self.ended(transfer).await;
    }
}

/// How much each transfer has moved from or to an account, one after the other.
fn moved(log: &[(String, String, Value)], account: &str) -> BTreeMap<String, Vec<i64>> {
    let mut moved: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (_, event_type, data) in log.iter().filter(|(stream, ..)| stream == account) {
        let sign = if event_type == "MoneyDeposited" { 1 } else { -1 };
        let reference = data["reference"].as_str().unwrap().to_owned();
        moved.entry(reference).or_default().push(sign * data["amount"].as_i64().unwrap());
    }
    moved
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_at_any_step_of_a_transfer_leaves_what_an_uninterrupted_one_does() {
    let cases: Vec<_> = cases()
        .into_iter()
        .map(|(outcome, step, doubt)| (format!("{outcome}-{step:?}-{doubt:?}").replace(['(', ')'], ""), step, doubt))
        .collect();

    let postgres = Postgres::start().await;
    let proxy = Proxy::start(postgres.url()).await;
    let mut bank = Bank::start(&proxy.through(postgres.url()), postgres.url()).await;
    for (transfer, step, doubt) in &cases {
        println!("{transfer}");
        bank.interrupted(&proxy, transfer, *step, *doubt).await;
    }
    let log = bank.log().await;
    let (payer, payee) = (moved(&log, "account-1"), moved(&log, "account-2"));
    for (transfer, ..) in &cases {
        let reference = format!("transfer-{transfer}");
        let (paid, got) = (payer[&reference].as_slice(), payee.get(&reference).map(Vec::as_slice));
        let ends = log.iter().filter(|(stream, event_type, _)| {
            *stream == reference && ["TransferSettled", "TransferFailed"].contains(&event_type.as_str())
        });
        let ends: Vec<&str> = ends.map(|(_, event_type, _)| event_type.as_str()).collect();
        if transfer.starts_with("cleared-") {
            assert_eq!(
                (paid, got, &*ends),
                (&[-AMOUNT][..], Some(&[AMOUNT][..]), &["TransferSettled"][..]),
                "{transfer}"
            );
        } else {
            assert_eq!((paid, got, &*ends), (&[-AMOUNT, AMOUNT][..], None, &["TransferFailed"][..]), "{transfer}");
        }
    }
    let total: i64 = payer.values().chain(payee.values()).flatten().sum();
    assert_eq!(total, 0, "money was made or lost");

    let database = TestDatabase::create().await;
    let mut other = Bank::start(&database.url(), &database.url()).await;
    for (transfer, ..) in &cases {
        other.transfer(transfer).await;
    }
    assert_eq!(log, other.log().await, "and without a kill");
    // A call is known by its key: those of the same number of calls, however often each was made.
    let count = |bank: &Bank| {
        let keys = bank.house.keys().into_iter();
        keys.map(|(asked, keys)| (asked, keys.len())).collect::<Vec<_>>()
    };
    assert_eq!(count(&bank), count(&other));
    assert!(bank.house.times() > other.house.times(), "no call was repeated: no kill was in time");
}
