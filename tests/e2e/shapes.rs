//! Two versions with different tables and columns are activated in turn on two hosts, while clients query what both versions have
//! and what only one has. Between two swaps, each host answers with the version that is active.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Host, client, until};

/// The version that is active. Each turn has four steps, which are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Old,
    /// While a host swaps.
    Swapping,
    New,
}

fn turn(number: u64) -> Turn {
    match number % 4 {
        0 => Turn::Old,
        2 => Turn::New,
        _ => Turn::Swapping,
    }
}

/// A query and its result in each version: `Ok`, or the code of its error.
struct Shape {
    path: &'static str,
    old: Result<(), &'static str>,
    new: Result<(), &'static str>,
}

const SHAPES: [Shape; 8] = [
    Shape { path: "tallies?select=stream,events", old: Ok(()), new: Ok(()) },
    Shape { path: "tallies?select=stream,total", old: Err("42703"), new: Ok(()) },
    Shape { path: "tallies?total=gt.0&order=total", old: Err("42703"), new: Ok(()) },
    Shape { path: "tallies?select=stream,last_version", old: Ok(()), new: Err("42703") },
    Shape { path: "tallies?sum=eq.in%20all%201", old: Err("22P02"), new: Ok(()) },
    Shape { path: "tallies?sum=gt.0&select=sum", old: Ok(()), new: Ok(()) },
    Shape { path: "extras?select=stream,newest", old: Err("PGRST205"), new: Ok(()) },
    Shape { path: "extras", old: Err("PGRST205"), new: Ok(()) },
];

/// Sends a query to a host again and again until the turns end.
async fn ask(url: String, shape: &'static Shape, turns: Arc<AtomicU64>, asked: Arc<AtomicU64>) -> Result<(), String> {
    let client = client();
    let url = format!("{url}/v1/read-models/tally/{}", shape.path);
    loop {
        let before = turns.load(Ordering::SeqCst);
        if before == u64::MAX {
            return Ok(());
        }
        let response = client.get(&url).send().await.map_err(|error| format!("{error:?}"))?;
        let status = response.status();
        let body: Value = response.json().await.map_err(|error| format!("{error:?}"))?;
        let during = if turns.load(Ordering::SeqCst) == before { turn(before) } else { Turn::Swapping };
        let found = if status == StatusCode::OK { Ok(()) } else { Err(body["code"].as_str().unwrap_or_default()) };
        let fits = match during {
            Turn::Old => found == shape.old,
            Turn::New => found == shape.new,
            Turn::Swapping => found == shape.old || found == shape.new,
        };
        if !fits {
            return Err(format!("{url} while {during:?}: {status} {body}"));
        }
        asked.fetch_add(1, Ordering::SeqCst);
    }
}

struct Clients {
    turns: Arc<AtomicU64>,
    asked: Vec<Arc<AtomicU64>>,
    tasks: Vec<JoinHandle<Result<(), String>>>,
}

impl Clients {
    fn start(hosts: &[Host]) -> Self {
        let turns = Arc::new(AtomicU64::new(0));
        let (mut asked, mut tasks) = (Vec::new(), Vec::new());
        for host in hosts {
            for shape in &SHAPES {
                let count = Arc::new(AtomicU64::new(0));
                asked.push(Arc::clone(&count));
                tasks.push(tokio::spawn(ask(host.url().to_owned(), shape, Arc::clone(&turns), count)));
            }
        }
        Self { turns, asked, tasks }
    }

    fn next(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until each client has been answered a few times more, or has failed.
    async fn all_asked(&self) {
        let before: Vec<u64> = self.asked.iter().map(|asked| asked.load(Ordering::SeqCst)).collect();
        until("each client is answered", async || {
            let now = self.asked.iter().map(|asked| asked.load(Ordering::SeqCst));
            self.tasks.iter().any(JoinHandle::is_finished) || now.zip(&before).all(|(now, before)| now >= before + 3)
        })
        .await;
    }

    async fn stop(self) {
        self.turns.store(u64::MAX, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_answers_with_a_new_version_as_soon_as_it_is_active() {
    let database = TestDatabase::create().await;
    let first = Host::start(&database).await;
    let hosts = [first.beside().await, first];
    let host = &hosts[1];
    for stream in 0..3 {
        host.append_one(&format!("count-{stream}"), "Counted", json!({"n": stream + 1})).await;
    }
    let old = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", old, "active").await;
    let clients = Clients::start(&hosts);
    clients.all_asked().await;

    let new = host.deploy("tally", test_support::guest("tally_wide"), "?activate=manual").await;
    host.until_state("tally", new, "live").await;
    for round in 0..4 {
        clients.next();
        let swapped = hosts[round % 2].post(&format!("/v1/projections/tally/activate?build={new}")).await;
        assert_eq!(swapped.status, StatusCode::OK, "{swapped:?}");
        clients.next();
        clients.all_asked().await;

        if round == 1 {
            // A rebuild becomes active by itself, and has the same shape.
            let again = host.post("/v1/projections/tally/rebuild").await.body["build"].as_u64().unwrap();
            host.until_state("tally", again, "active").await;
            clients.all_asked().await;
        }
        clients.next();
        let back = hosts[(round + 1) % 2].post(&format!("/v1/projections/tally/activate?build={old}")).await;
        assert_eq!(back.status, StatusCode::OK, "{back:?}");
        clients.next();
        clients.all_asked().await;
    }
    // A deployed version becomes active by itself, some time before its state says so.
    clients.next();
    let retired =
        host.send(host.request(reqwest::Method::DELETE, &format!("/v1/projections/tally/builds/{new}"))).await;
    assert_eq!(retired.status, StatusCode::NO_CONTENT, "{retired:?}");
    let deployed = host.deploy("tally", test_support::guest("tally_wide"), "").await;
    host.until_state("tally", deployed, "active").await;
    clients.next();
    clients.all_asked().await;
    clients.stop().await;
}
