//! Two hosts, readers of both, and a Redis that is cut off, stands still and lies: no answer is older than what was known when its request began, and
//! each is what the events up to its position give.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use gnomon::postgres::test_database::TestDatabase;
use test_support::{client, until};

use crate::{
    ACCOUNTS, REDIS_FAILURES, REDIS_HITS, TABLE, balance, deposit, host, measure, open_account,
    proxy::{Line, Proxy},
    server::Redis,
};

const READERS: usize = 8;
/// Deposits while the line is as it is.
const DEPOSITS: usize = 40;

#[derive(Default)]
struct Known {
    /// The newest position that was answered to a writer or a reader.
    position: AtomicU64,
    answers: AtomicU64,
    done: AtomicBool,
}

async fn read(url: String, known: Arc<Known>, number: usize) {
    let client = client();
    // Also if a check fails.
    let _ends = scopeguard::guard(Arc::clone(&known), |known| known.done.store(true, Ordering::SeqCst));
    let queries = ["", "?select=balance", "?order=balance&limit=3", "?account=eq.1"];
    for turn in number.. {
        if known.done.load(Ordering::SeqCst) {
            return;
        }
        let before = known.position.load(Ordering::SeqCst);
        let request = client.get(format!("{url}{ACCOUNTS}{}", queries[turn % queries.len()]));
        // Some leave before they are answered.
        let request = if turn % 7 == 0 { request.timeout(Duration::from_millis(1)) } else { request };
        let answered = async {
            let answer = request.send().await?;
            assert_eq!(answer.status(), 200);
            let position = answer.headers()["gnomon-position"].to_str().unwrap().parse::<u64>().unwrap();
            Ok::<_, reqwest::Error>((position, answer.json().await?))
        };
        let (position, rows) = match answered.await {
            Ok(answered) => answered,
            Err(error) if error.is_timeout() => continue,
            Err(error) => panic!("{error:?}"),
        };
        assert!(position >= before, "position {position} was read, and {before} known before");
        assert_eq!(balance(&rows), position - 1, "at position {position}");
        known.position.fetch_max(position, Ordering::SeqCst);
        known.answers.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_old_whatever_redis_does() {
    let (database, redis) = (TestDatabase::create().await, Redis::start(None).await);
    let proxy = Proxy::start(redis.port()).await;
    // One has hardly any memory of its own, so that it asks Redis.
    let hosts = [host(&database, &proxy.url(), 1 << 20).await, host(&database, &proxy.url(), 0).await];
    open_account(&hosts[0], "Ada").await;
    let known = Arc::new(Known::default());
    let readers: Vec<_> = (0..READERS)
        .map(|number| tokio::spawn(read(hosts[number % 2].url().to_owned(), Arc::clone(&known), number)))
        .collect();
    let failures = async || measure(&hosts[1], REDIS_FAILURES).await;
    for line in [Line::Open, Line::Silent, Line::Open, Line::Cut, Line::Open, Line::Garbled, Line::Open] {
        let (failures_before, hits_before) = (failures().await, measure(&hosts[1], REDIS_HITS).await);
        proxy.set(line);
        for number in 0..DEPOSITS {
            let writer = &hosts[number % 2];
            let position = deposit(writer).await;
            // The answer is there when the build has reached it, and then known.
            writer.rows_at(TABLE, position).await;
            known.position.fetch_max(position, Ordering::SeqCst);
            let enough = known.answers.load(Ordering::SeqCst) + 5;
            until("readers are answered", async || {
                known.answers.load(Ordering::SeqCst) >= enough || known.done.load(Ordering::SeqCst)
            })
            .await;
            if known.done.load(Ordering::SeqCst) {
                break;
            }
        }
        if known.done.load(Ordering::SeqCst) {
            // A reader has failed.
            break;
        }
        if line == Line::Open {
            // Somebody else writes into it.
            let keys = redis.keys();
            for (key, other) in keys.iter().zip(keys.iter().skip(1)).step_by(2) {
                redis.set(key, &redis.get(other));
            }
            until("it is used again", async || measure(&hosts[1], REDIS_HITS).await > hits_before).await;
            hosts[0].post("/v1/projections/bank/rebuild").await;
        } else {
            until("the host has noticed", async || failures().await > failures_before).await;
        }
    }
    known.done.store(true, Ordering::SeqCst);
    for reader in join_all(readers).await {
        reader.unwrap();
    }
}
