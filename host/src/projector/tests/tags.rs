//! Of what upcasters make, a projection that names tags gets what has them.

use std::{collections::HashSet, sync::Arc};

use gnomon_values::Instant;

use crate::{
    builds::{BuildId, tests::TestBuilds},
    event_log::{Position, SchemaVersion, StreamVersion},
    folding::FailureHandling,
    projector::runner::{RunnerOptions, module_runner},
    read_model::{Identifier, TableSet, Value},
    runtime::{Delivery, Digest, Module, ModuleLabel, Runtime, RuntimeLimits, RuntimeSettings, UpcasterChain},
    subscriptions::OnFailure,
};

/// An event that tells the upcaster what to do.
fn told(position: u64, word: &str, tags: &[&str]) -> Delivery {
    Delivery {
        position: Position(position),
        part: 0,
        stream: "s-1".into(),
        version: StreamVersion(position),
        id: uuid::Uuid::nil(),
        event_type: "A".into(),
        schema_version: SchemaVersion::FIRST,
        data: format!("\"{word}\"").into(),
        metadata: None,
        time: Instant(0),
        recorded_at: Instant(0),
        tags: tags.iter().map(|&tag| tag.into()).collect(),
    }
}

fn load(runtime: &Runtime, name: &str, bytes: &[u8]) -> Module {
    let label = ModuleLabel { name: Identifier::new(name).unwrap(), version: None };
    runtime.load(label, &Digest::of(bytes), bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_looked_at_when_upcasters_are_done() {
    let test = TestBuilds::create().await;
    let runtime = Runtime::start(RuntimeSettings::default()).unwrap();
    let Module::Projection(module) = load(&runtime, "course", &test_support::guest("course")) else {
        panic!("it is a projection")
    };
    let Module::Upcaster(upcaster) = load(&runtime, "told", &test_support::upcaster("does_as_told")) else {
        panic!("it is an upcaster")
    };
    let chain = UpcasterChain::new([upcaster], &RuntimeLimits::default()).unwrap();
    let tables = Arc::new(TableSet::new(BuildId(1).schema(), module.tables()));
    tables.create(&mut test.pool.acquire().await.unwrap()).await.unwrap();
    let options = RunnerOptions { upcasters: Some(chain), ..RunnerOptions::default() };
    let mut runner = module_runner(test.pool.clone(), tables, module, options);
    let mut fold = move |events: Vec<Delivery>| {
        let mut handling = FailureHandling { on_failure: OnFailure::Skip, parked_streams: HashSet::new() };
        let folded = runner.fold(events.iter().collect(), &[], &mut handling).unwrap();
        let position = |row: &Vec<Value>| match row[0] {
            Value::I64(position) => position,
            _ => panic!("{row:?}"),
        };
        let mut rows: Vec<i64> = folded.writes.tables()[0].written().map(position).collect();
        rows.sort_unstable();
        let set_aside: Vec<u64> = folded.set_aside.iter().map(|letter| letter.position.0).collect();
        (rows, set_aside)
    };
    let events = [
        told(1, "x", &["course:c1"]),
        told(2, "x", &["course:c3"]),
        told(3, "tagged", &[]),
        told(4, "untagged", &["course:c1"]),
        told(5, "x", &["course:c3", "course:c2"]),
    ];
    // An event that an upcaster fails at makes the host bring events through the chain one by one.
    let with_failure = [&events[..2], &[told(6, "refuse", &[])], &events[2..]].concat();
    tokio::task::spawn_blocking(move || {
        assert_eq!(fold(events.to_vec()), (vec![1, 3, 5], vec![]));
        assert_eq!(fold(with_failure), (vec![1, 3, 5], vec![6]));
    })
    .await
    .unwrap();
}
