//! Folding has threads of its own.

use std::sync::{Arc, Barrier, mpsc};

use serde_json::json;

use crate::{
    builds::Activation, postgres::test_database::TestDatabase, read_model::Identifier, server::tests::TestHost,
};

/// As uploads and readers can, others use up the blocking threads of the host: an event gets to its row all the same.
#[test]
fn folding_needs_no_blocking_thread_of_the_host() {
    const THREADS: usize = 2;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(THREADS).build().unwrap();
    runtime.block_on(async {
        let database = TestDatabase::create().await;
        let host = TestHost::start(&database).await;
        let tally = Identifier::new("tally").unwrap();
        host.deploy(&tally, test_support::guest("tally"), Activation::Auto).await;
        host.append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
        host.caught_up(&tally).await;

        let all_busy = Arc::new(Barrier::new(THREADS + 1));
        // Each thread is busy until its end of a channel is dropped.
        let busy: Vec<mpsc::Sender<()>> = (0..THREADS)
            .map(|_| {
                let (free, until_free) = mpsc::channel();
                let all_busy = Arc::clone(&all_busy);
                tokio::task::spawn_blocking(move || {
                    all_busy.wait();
                    until_free.recv()
                });
                free
            })
            .collect();
        tokio::task::block_in_place(|| all_busy.wait());
        host.append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
        host.caught_up(&tally).await;
        drop(busy);
        host.projector.stop().await;
    });
}
