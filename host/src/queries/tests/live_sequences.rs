//! Live queries while anything happens, in any order: commits, noted or not, swaps and rollbacks, followers that go and come back to another host.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    live::{Follower, Two},
    *,
};

#[derive(Clone, Debug)]
enum Op {
    Commit(Vec<(i64, Option<i64>)>, bool),
    Swap(usize),
    /// A follower goes, and comes back to the first host or the second.
    Reconnect(usize, bool),
    /// A follower takes what there is.
    Take(usize),
    CatchUp,
}

fn op() -> impl Strategy<Value = Op> {
    let change = (0..6_i64, prop::option::weighted(0.7, 0..12_i64));
    prop_oneof![
        6 => (prop::collection::vec(change, 1..4), prop::bool::weighted(0.9)).prop_map(|(changes, noted)| {
            Op::Commit(changes.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect(), noted)
        }),
        1 => (0..2_usize).prop_map(Op::Swap),
        2 => (0..QUERIES.len(), any::<bool>()).prop_map(|(follower, other)| Op::Reconnect(follower, other)),
        3 => (0..QUERIES.len()).prop_map(Op::Take),
        1 => Just(Op::CatchUp),
    ]
}

/// Of each way to follow.
const QUERIES: [&str; 5] =
    ["", "n=gt.5&select=id,n", "or=(n.is.null,n.lt.4)&select=x:n", "order=n.desc,id&limit=3", "select=count(),n.sum()"];

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(6) })]

    #[test]
    fn followers_have_what_queries_answer_whatever_happens(ops in prop::collection::vec(op(), 20..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut two = Two::create().await;
            let hosts = [Reader::on(&two.builds).await, Reader::on(&two.builds).await];
            let mut followers = Vec::new();
            for (number, query) in QUERIES.into_iter().enumerate() {
                followers.push(Follower::begin(&hosts[number % 2], &two.builds, query).await);
            }
            for op in &ops {
                match op {
                    Op::Commit(changes, is_noted) => two.commit(changes, *is_noted).await,
                    Op::Swap(index) => two.activate(*index).await,
                    Op::Reconnect(at, other) => {
                        followers[*at].rows = None;
                        followers[*at].connect(&hosts[usize::from(*other)], &two.builds).await;
                    }
                    Op::Take(at) => {
                        let follower = &mut followers[*at];
                        let soon = Duration::from_millis(5);
                        if let Ok(Some(batch)) = tokio::time::timeout(soon, follower.rows.as_mut().unwrap().next()).await {
                            batch.events().iter().for_each(|event| follower.apply(event));
                        }
                    }
                    Op::CatchUp => for follower in &mut followers {
                        follower.catch_up(&hosts[0], &two.builds).await;
                    },
                }
            }
            for follower in &mut followers {
                follower.catch_up(&hosts[0], &two.builds).await;
            }
        });
    }
}
