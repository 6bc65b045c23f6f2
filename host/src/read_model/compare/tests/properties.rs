use proptest::{prelude::*, test_runner::TestRunner};

use super::{naive, strategies, *};

/// The comparison of any two tables equals a naive one over rows in memory; and if the declarations are the same, hashes are equal
/// exactly if the rows are.
#[tokio::test(flavor = "multi_thread")]
async fn differences_are_those_of_a_naive_comparison() {
    let sides = std::cell::RefCell::new(Sides::create().await);
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(150));
    let result = tokio::task::block_in_place(|| {
        runner.run(&(strategies::sides(), 0..6_usize), |((left, right), samples)| {
            let expected = naive::compare(&left, &right, samples);
            let mut sides = sides.borrow_mut();
            let (found, hashes) = runtime.block_on(async {
                let sets = (sides.fill("left_build", &left).await, sides.fill("right_build", &right).await);
                let found = sides.compare(&sets.0, &sets.1, samples).await;
                let hashes = (sides.hash(&sets.0).await, sides.hash(&sets.1).await);
                sets.0.drop(&mut sides.connection).await.unwrap();
                sets.1.drop(&mut sides.connection).await.unwrap();
                (found, hashes)
            });
            let identical = found.iter().all(|table| table.identical);
            let found: Vec<crate::api::TableComparison> = found.into_iter().map(Into::into).collect();
            let found: serde_json::Value = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
            prop_assert_eq!(found, expected);

            let declared = |side: &[Filled]| {
                let mut tables: Vec<Arc<Table>> = side.iter().map(|filled| Arc::clone(&filled.table)).collect();
                tables.sort_unstable_by(|one, other| one.name().cmp(other.name()));
                let types = |table: &Arc<Table>| -> Vec<ColumnShape> {
                    table
                        .columns()
                        .iter()
                        .map(ColumnShape::of)
                        .chain(table.key_columns().map(ColumnShape::of))
                        .collect()
                };
                tables.iter().map(types).collect::<Vec<_>>()
            };
            if declared(&left) == declared(&right) {
                prop_assert_eq!(hashes.0 == hashes.1, identical);
            } else {
                prop_assert_ne!(hashes.0.hash, hashes.1.hash);
            }
            Ok(())
        })
    });
    result.unwrap();
}
