//! Streams are folded side by side with the same result as one after the other.

use std::{collections::HashSet, sync::Arc};

use proptest::prelude::*;

use super::fold::{Counted, delivery, events, in_batches, naive, projection};
use crate::{
    builds::{BuildId, tests::TestBuilds},
    folding::FailureHandling,
    projector::{
        instances::SpareCores,
        runner::{ModuleRunner, RunnerOptions, module_runner},
    },
    read_model::{TableSet, Value},
    runtime::Delivery,
    runtime::ProjectionModule,
    subscriptions::OnFailure,
};

/// Calls `test` with a function that makes a runner of a module, on a thread that may block.
async fn with_runners(test: impl FnOnce(&dyn Fn(ProjectionModule) -> ModuleRunner) + Send + 'static) {
    let builds = TestBuilds::create().await;
    let tables = Arc::new(TableSet::new(BuildId(1).schema(), projection("tally").tables()));
    tables.create(&mut builds.pool.acquire().await.unwrap()).await.unwrap();
    let (runtime, pool) = (tokio::runtime::Handle::current(), builds.pool.clone());
    tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        test(&|module| module_runner(pool.clone(), Arc::clone(&tables), module, RunnerOptions::default()));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_events_fail_the_result_is_that_of_one_instance() {
    with_runners(|runner| {
        let module = projection("tally_by_stream");
        let policy = prop_oneof![Just(OnFailure::Skip), Just(OnFailure::Park)];
        let sizes = prop::collection::vec(1..20_usize, 1..5);
        proptest!(ProptestConfig::with_cases(60), |(events in events(), sizes in sizes, policy in policy, cores in 1..4_usize)| {
            let mut runner = runner(module.clone());
            let spare = SpareCores::new(cores);
            runner.folder().instances.take_cores(&spare);
            prop_assert_eq!(spare.free(), 0);
            prop_assert_eq!(in_batches(&mut runner, policy, &events, &sizes), naive(&events, policy));
            prop_assert_eq!(spare.free(), 0);
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_go_to_projections_by_stream_and_come_back() {
    with_runners(|runner| {
        let spare = SpareCores::new(3);
        let mut unpartitioned = runner(projection("tally"));
        unpartitioned.folder().instances.take_cores(&spare);
        assert_eq!(spare.free(), 3);
        let module = projection("tally_by_stream");
        let (mut first, mut second) = (runner(module.clone()), runner(module));
        first.folder().instances.take_cores(&spare);
        second.folder().instances.take_cores(&spare);
        assert_eq!(spare.free(), 0);
        first.folder().instances.give_cores_back();
        assert_eq!(spare.free(), 3);
    })
    .await;
}

/// The declaration of its author is not true, and the row would have what one stream made of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_two_streams_change_is_folded_by_one_instance() {
    with_runners(|runner| {
        let mut runner = runner(projection("tally_by_stream"));
        let spare = SpareCores::new(3);
        runner.folder().instances.take_cores(&spare);
        let shared = |index: usize| {
            let mut event = delivery(index, Counted { stream: u8::try_from(index).unwrap(), n: 1, poison: false });
            event.data = r#"{"n":1,"shared":true}"#.into();
            event
        };
        let mut handling = FailureHandling { on_failure: OnFailure::Halt, parked_streams: HashSet::new() };
        let events: Vec<Delivery> = (0..100).map(shared).collect();
        let folded = runner.fold(events.iter().collect(), &[], &mut handling).unwrap();
        let all = folded.writes.tables()[0].get(&[Value::Text("all".to_owned())]);
        let all = all.unwrap().unwrap();
        assert_eq!(all[1..3], [Value::I64(100), Value::I64(100)]);
        assert_eq!(spare.free(), 3);
    })
    .await;
}
