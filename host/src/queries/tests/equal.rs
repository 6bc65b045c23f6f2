//! An answer that is kept equals one that is read.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;
use crate::{
    builds::tests::{rows, step},
    read_model::Value,
};

const STEPS: usize = 300;

/// A query that is right or wrong, of few, so that many are asked again.
fn query(random: &mut StdRng) -> (String, Shape, bool) {
    let mut one_of = |parts: &[&str]| (*parts.choose(random).unwrap()).to_owned();
    let parts = [
        one_of(&["", "", "select=n", "select=id,n", "select=a:n,id", "select=missing"]),
        one_of(&["", "", "n=gt.5", "id=in.(1,3)", "n=eq.x", "or=(id.eq.1,n.lt.3)", "id=eq.1"]),
        one_of(&["", "order=n", "order=n.desc,id"]),
        one_of(&["", "", "limit=2", "limit=1&offset=1", "offset=9", "limit=0"]),
    ];
    let query = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("&");
    (query, *[Shape::List, Shape::List, Shape::Object].choose(random).unwrap(), random.random_bool(0.3))
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn a_kept_answer_equals_one_that_is_read() {
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build(1, &["n"]).await;
    builds.live(build).await;
    builds.activate(build, &tables).await;
    let lease = builds.lease(build).await;
    // One has room for some answers only, so that they drive each other out.
    let options = builds.database.connect_options();
    let keeping = [Reader::on(&builds).await, Reader::start(options.clone(), 4000).await];
    let reading = Reader::start(options, 0).await;
    let mut position = 0;
    for _ in 0..STEPS {
        if random.random_bool(0.1) {
            let mut changes = rows(&tables, []);
            for id in 0..5 {
                match random.random_range(0..4) {
                    0 => changes.put(0, vec![Value::I64(id), Value::I64(random.random_range(0..10))]),
                    1 => changes.delete(0, vec![Value::I64(id)]),
                    _ => {}
                }
            }
            let to = position + random.random_range(0..2);
            builds.commit(lease, &tables, step(position, to), changes).await.unwrap();
            position = to;
        }
        let (query, shape, count) = query(&mut random);
        let ask = async |reader: &Reader| {
            let read = reader.try_read(&builds, &query, shape, count).await;
            read.map_err(|error| error.to_string())
        };
        let read = ask(&reading).await;
        for keeping in &keeping {
            // The second one is kept.
            for _ in 0..2 {
                assert_eq!(ask(keeping).await, read, "{query} {shape:?} {count}");
            }
        }
    }
    let (used, max) = keeping[1].queries.cache_bytes();
    assert!(0 < used && used <= max, "{used} of {max}");
}
