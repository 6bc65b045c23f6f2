//! An answer that is kept equals one that is read, and so do all that have one tag.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::*;
use crate::{
    builds::tests::{rows, step},
    read_model::{
        Value,
        query::{RowRange, Shape},
    },
};

const STEPS: usize = 300;

/// What is wanted of a query.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    shape: Shape,
    count: Count,
    without_rows: bool,
    range: Option<RowRange>,
    zone: Option<&'static str>,
}

/// A query that is right or wrong, of few, so that many are asked again.
fn query(random: &mut StdRng) -> (String, Wanted) {
    let mut one_of = |parts: &[&str]| (*parts.choose(random).unwrap()).to_owned();
    let parts = [
        one_of(&["", "", "select=n", "select=id,n", "select=a:n,id", "select=missing"]),
        one_of(&["", "", "n=gt.5", "id=in.(1,3)", "n=eq.x", "or=(id.eq.1,n.lt.3)", "id=eq.1"]),
        one_of(&["", "order=n", "order=n.desc,id"]),
        one_of(&["", "", "limit=2", "limit=1&offset=1", "offset=9", "limit=0"]),
    ];
    let query = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("&");
    let shapes = [Shape::List, Shape::Object, Shape::StrippedList, Shape::StrippedObject, Shape::Csv];
    let ranges = [(0, None), (1, None), (0, Some(0)), (1, Some(2))];
    let wanted = Wanted {
        shape: if random.random_bool(0.5) { Shape::List } else { *shapes.choose(random).unwrap() },
        count: *[Count::Uncounted, Count::Uncounted, Count::Exact, Count::Estimated].choose(random).unwrap(),
        without_rows: random.random_bool(0.1),
        range: random
            .random_bool(0.2)
            .then(|| *ranges.choose(random).unwrap())
            .map(|(first, last)| RowRange::new(first, last).unwrap()),
        zone: random.random_bool(0.1).then_some("Asia/Tokyo"),
    };
    (query, wanted)
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
    let mut by_tag: HashMap<(String, bool), Read> = HashMap::new();
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
        let (query, wanted) = query(&mut random);
        let Wanted { shape, count, without_rows, range, zone } = wanted;
        let ask = async |reader: &Reader| {
            let request = ReadRequest { shape, count, without_rows, range, zone, ..reader.request(&builds, &query) };
            let read = reader.try_read(request).await;
            read.map_err(|error| error.to_string())
        };
        let read = ask(&reading).await;
        if let Ok(Read { tag: Some(tag), .. }) = &read {
            let read = read.clone().unwrap();
            let first = by_tag.entry((tag.clone(), without_rows)).or_insert_with(|| read.clone());
            assert_eq!(*first, Read { position: first.position, ..read }, "{query} {wanted:?}");
        }
        for keeping in &keeping {
            // The second one is kept.
            for _ in 0..2 {
                assert_eq!(ask(keeping).await, read, "{query} {wanted:?}");
            }
        }
    }
    let (used, max) = keeping[1].queries.cache_bytes();
    assert!(0 < used && used <= max, "{used} of {max}");
}
