//! The sizes of batches make no difference to the result, whichever events are faulty.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use gnomon_values::Instant;
use proptest::prelude::*;

use crate::{
    builds::{BuildId, tests::TestBuilds},
    event_log::{Position, SchemaVersion, StreamVersion},
    folding::FailureHandling,
    projector::runner::{ModuleRunner, RunnerOptions, module_runner},
    read_model::{Identifier, TableSet, Value},
    runtime::{Delivery, Digest, Module, ModuleLabel, ProjectionModule, Runtime, RuntimeSettings},
    subscriptions::{DeadLetter, Handled, OnFailure},
};

/// An event of a stream, and whether the module refuses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) stream: u8,
    pub(super) n: i64,
    pub(super) poison: bool,
}

pub(super) fn delivery(index: usize, counted: Counted) -> Delivery {
    Delivery {
        position: Position(index as u64 + 1),
        part: 0,
        stream: format!("count-{}", counted.stream).into(),
        version: StreamVersion(index as u64 + 1),
        id: uuid::Uuid::nil(),
        event_type: "Counted".into(),
        schema_version: SchemaVersion::FIRST,
        data: format!(r#"{{"n":{},"poison":{}}}"#, counted.n, counted.poison).into(),
        metadata: None,
        time: Instant(0),
        recorded_at: Instant(0),
        tags: Vec::new(),
    }
}

/// Sum and number of events of each stream, the positions set aside, and the number of events that were handled.
pub(super) type Outcome = (BTreeMap<String, (i64, i64)>, BTreeSet<u64>, i64);

pub(super) fn naive(events: &[Counted], on_failure: OnFailure) -> Outcome {
    let (mut sums, mut aside, mut parked) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for (index, event) in events.iter().enumerate() {
        if event.poison || parked.contains(&event.stream) {
            aside.insert(index as u64 + 1);
            if on_failure == OnFailure::Park {
                parked.insert(event.stream);
            }
        } else {
            let (sum, count): &mut (i64, i64) = sums.entry(event.stream.to_string()).or_default();
            *sum += event.n;
            *count += 1;
        }
    }
    let handled = sums.values().map(|(_, count)| count).sum();
    (sums, aside, handled)
}

/// Folds in batches of these sizes in turn; after the last size the first one follows.
pub(super) fn in_batches(
    runner: &mut ModuleRunner,
    on_failure: OnFailure,
    events: &[Counted],
    sizes: &[usize],
) -> Outcome {
    let mut handling = FailureHandling { on_failure, parked_streams: HashSet::new() };
    let mut rest: Vec<Delivery> = events.iter().enumerate().map(|(index, event)| delivery(index, *event)).collect();
    let (mut layers, mut aside, mut handled) = (Vec::new(), BTreeSet::new(), Handled::default());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let behind = rest.split_off((*size).min(rest.len()));
        let folded =
            runner.fold(std::mem::replace(&mut rest, behind).iter().collect(), &layers, &mut handling).unwrap();
        assert!(folded.stopped.is_none());
        aside.extend(folded.set_aside.iter().map(|letter: &DeadLetter| letter.position.0));
        handled.merge(folded.handled);
        layers.push(Arc::new(folded.writes));
    }
    let mut sums = BTreeMap::new();
    for layer in layers {
        for row in layer.tables()[0].written() {
            let [Value::Text(stream), Value::I64(sum), Value::I64(count), _] = row.as_slice() else {
                panic!("{row:?}")
            };
            sums.insert(stream.clone(), (*sum, *count));
        }
    }
    let (types, counts) = handled.columns();
    assert!(types.iter().all(|name| *name == "Counted"), "{types:?}");
    (sums, aside, counts.iter().sum())
}

pub(super) fn projection(name: &str) -> ProjectionModule {
    let runtime = Runtime::start(RuntimeSettings::default()).unwrap();
    let bytes = test_support::guest(name);
    let label = ModuleLabel { name: Identifier::new(name).unwrap(), version: None };
    match runtime.load(label, &Digest::of(&bytes), &bytes).unwrap() {
        Module::Projection(module) => module,
        _ => panic!("it is a projection"),
    }
}

pub(super) fn events() -> impl Strategy<Value = Vec<Counted>> {
    let event = (0..4_u8, -9..9_i64, prop::bool::weighted(0.1));
    prop::collection::vec(event.prop_map(|(stream, n, poison)| Counted { stream, n, poison }), 1..60)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sizes_of_batches_make_no_difference() {
    let test = TestBuilds::create().await;
    let module = projection("tally");
    let schema = BuildId(1).schema();
    let tables = Arc::new(TableSet::new(schema, module.tables()));
    tables.create(&mut test.pool.acquire().await.unwrap()).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let pool = test.pool.clone();
    tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        let policy = prop_oneof![Just(OnFailure::Skip), Just(OnFailure::Park)];
        let sizes = prop::collection::vec(1..20_usize, 1..5);
        proptest!(ProptestConfig::with_cases(60), |(events in events(), sizes in sizes, policy in policy)| {
            let mut runner = module_runner(pool.clone(), Arc::clone(&tables), module.clone(), RunnerOptions::default());
            prop_assert_eq!(in_batches(&mut runner, policy, &events, &sizes), naive(&events, policy));
        });
    })
    .await
    .unwrap();
}
