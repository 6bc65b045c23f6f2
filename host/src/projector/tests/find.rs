//! Searches by an index, over rows of which some are committed.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::runtime::Handle;

use crate::{
    builds::{Activation, BuildState, RetiredBuilds},
    folding::{BatchRows, MadeIndexes},
    postgres::test_database::TestDatabase,
    read_model::{
        ColumnType, Identifier, Key, Row, Table, TableSet, Value, WriteSet,
        samples::{btree, column, declaration, nullable},
    },
    runtime::RowReader,
    server::tests::TestHost,
    subscriptions::{OnFailure, Redelivery},
};

/// A table whose rows are found by two columns, both nullable.
fn dots() -> Arc<Table> {
    let columns =
        [column("id", ColumnType::I64), nullable("color", ColumnType::Text), nullable("size", ColumnType::I64)];
    let mut declaration = declaration("dots", columns, &["id"]);
    declaration.indexes = vec![btree("by_color", &["color", "size"]), btree("by_size", &["size"])];
    Arc::new(Table::check(&declaration).unwrap())
}

struct Dots {
    table: Arc<Table>,
    tables: Arc<TableSet>,
    pool: PgPool,
    database: TestDatabase,
}

impl Dots {
    async fn create() -> Self {
        let database = TestDatabase::create().await;
        let (table, pool) = (dots(), database.pool().await);
        let tables = Arc::new(TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::clone(&table)]));
        tables.create(&mut pool.acquire().await.unwrap()).await.unwrap();
        Self { table, tables, pool, database }
    }

    fn writes(&self, changes: &[Change]) -> WriteSet {
        let mut writes = WriteSet::new(&[Arc::clone(&self.table)]);
        for change in changes {
            match change {
                Change::Put(row) => writes.put(0, row.clone()),
                Change::Delete(key) => writes.delete(0, key.clone()),
            }
        }
        writes
    }

    fn rows(&self, layers: Vec<Arc<WriteSet>>, made_indexes: Option<MadeIndexes>) -> BatchRows {
        let (pool, tables) = (self.pool.clone(), Arc::clone(&self.tables));
        BatchRows { runtime: Handle::current(), pool, tables, kept: None, made_indexes, layers }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Put(Row),
    Delete(Key),
}

fn apply(changes: &[Change], model: &mut BTreeMap<Key, Row>) {
    for change in changes {
        match change {
            Change::Put(row) => drop(model.insert(vec![row[0].clone()], row.clone())),
            Change::Delete(key) => drop(model.remove(key)),
        }
    }
}

fn color() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![Just(Value::Null), "[ab]".prop_map(Value::Text)]
}

fn size() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![Just(Value::Null), (0..2_i64).prop_map(Value::I64)]
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let id = || (0..80_i64).prop_map(Value::I64);
    let row = (id(), color(), size()).prop_map(|(id, color, size)| Change::Put(vec![id, color, size]));
    let change = prop_oneof![3 => row, 1 => id().prop_map(|id| Change::Delete(vec![id]))];
    prop::collection::vec(change, 0..most)
}

/// Whatever is committed and whatever the layers change, a search finds what a look at each row would find.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_commits_and_layers_leave() {
    let test = Dots::create().await;
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        let values = prop_oneof![
            color().prop_map(|color| ("by_color", vec![color])),
            (color(), size()).prop_map(|(color, size)| ("by_color", vec![color, size])),
            size().prop_map(|size| ("by_size", vec![size])),
        ];
        let finds = prop::collection::vec((values, 1..40_usize), 1..6);
        // A layer, and what is merged into it after it was searched.
        let layers = prop::collection::vec((changes(60), changes(10)), 0..3);
        let made = MadeIndexes::default();
        proptest!(ProptestConfig::with_cases(60), |(committed in changes(120), layers in layers, batch in changes(30), finds in finds)| {
            let mut model = BTreeMap::new();
            apply(&committed, &mut model);
            runtime.block_on(async {
                let mut connection = test.pool.acquire().await.unwrap();
                sqlx::raw_sql("TRUNCATE build_1.dots").execute(&mut *connection).await.unwrap();
                test.tables.apply(&mut connection, &test.writes(&committed)).await.unwrap();
            });
            let mut written = Vec::new();
            for (layer, merged) in &layers {
                let mut writes = test.writes(layer);
                assert!(writes.tables()[0].find(test.table.index("by_size").unwrap(), &[Value::I64(9)]).next().is_none());
                writes.merge(test.writes(merged));
                written.push(Arc::new(writes));
                apply(layer, &mut model);
                apply(merged, &mut model);
            }
            let batch = test.writes(&batch);
            let mut rows = test.rows(written, Some(made.clone()));
            for ((index, values), limit) in &finds {
                let index = test.table.index(index).unwrap();
                let mut found = rows.find(index, values, &batch.tables()[0], *limit, usize::MAX).unwrap();
                found.sort();
                let matches = |row: &&Row| {
                    batch.tables()[0].get(&row[..1]).is_none()
                        && index.btree().iter().zip(values).all(|(&column, value)| row[column] == *value)
                };
                let expected: Vec<Row> = model.values().filter(matches).cloned().collect();
                if expected.len() <= *limit {
                    prop_assert_eq!(found, expected);
                } else {
                    prop_assert_eq!(found.len(), *limit);
                    prop_assert!(found.is_sorted_by(|one, next| one < next) && found.iter().all(|row| expected.contains(row)));
                }
            }
        });
    })
    .await
    .unwrap();
}

/// The columns of the indexes of a build's tables, with the keys, and how many of them are not valid.
async fn indexes(pool: &PgPool, schema: &Identifier) -> (Vec<String>, i64) {
    let columns = sqlx::query_scalar(
        "SELECT substring(indexdef FROM '\\(.*') AS columns FROM pg_indexes WHERE schemaname = $1 ORDER BY columns",
    )
    .bind(schema.as_str())
    .fetch_all(pool)
    .await
    .unwrap();
    let invalid = sqlx::query_scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetch_one(pool).await;
    (columns, invalid.unwrap())
}

/// A search waits for a commit of its own build, which may hold the table, and sees what it wrote. A live build makes no index.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_search_by_an_index_waits_for_a_commit_and_makes_that_index() {
    let test = Dots::create().await;
    let red = vec![Value::I64(1), Value::Text("red".to_owned()), Value::Null];
    let schema = test.tables.schema().clone();
    let key_only = (vec!["(id)".to_owned()], 0);
    let find = |mut rows: BatchRows, batch: WriteSet, table: Arc<Table>| {
        let values = [Value::Text("red".to_owned())];
        move || rows.find(table.index("by_color").unwrap(), &values, &batch.tables()[0], 10, usize::MAX)
    };
    let live = find(test.rows(Vec::new(), None), test.writes(&[]), Arc::clone(&test.table));
    assert_eq!(tokio::task::spawn_blocking(live).await.unwrap().unwrap(), [] as [Row; 0]);
    assert_eq!(indexes(&test.pool, &schema).await, key_only);

    let mut commit = PgConnection::connect_with(&test.database.connect_options()).await.unwrap();
    let mut transaction = commit.begin().await.unwrap();
    test.tables.apply(&mut transaction, &test.writes(&[Change::Put(red.clone())])).await.unwrap();
    let made = MadeIndexes::default();
    let filling = find(test.rows(Vec::new(), Some(made.clone())), test.writes(&[]), Arc::clone(&test.table));
    let searching = tokio::task::spawn_blocking(filling);
    test_support::until("the search waits for the table", async || {
        let waits: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'build_1.dots'::regclass::oid
                                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .fetch_one(&test.pool)
        .await
        .unwrap();
        waits > 0
    })
    .await;
    assert_eq!(indexes(&test.pool, &schema).await, key_only);
    transaction.commit().await.unwrap();
    assert_eq!(searching.await.unwrap().unwrap(), std::slice::from_ref(&red));
    let with_color = (vec!["(color, size)".to_owned(), "(id)".to_owned()], 0);
    assert_eq!(indexes(&test.pool, &schema).await, with_color);

    // From then on it needs no lock on the table that a commit has.
    let mut transaction = commit.begin().await.unwrap();
    test.tables.apply(&mut transaction, &test.writes(&[Change::Delete(red[..1].to_vec())])).await.unwrap();
    let again = find(test.rows(Vec::new(), Some(made)), test.writes(&[]), Arc::clone(&test.table));
    assert_eq!(tokio::task::spawn_blocking(again).await.unwrap().unwrap(), std::slice::from_ref(&red));
    transaction.commit().await.unwrap();
    // The next run does not know of it, and finds it there.
    let next = find(test.rows(Vec::new(), Some(MadeIndexes::default())), test.writes(&[]), Arc::clone(&test.table));
    assert_eq!(tokio::task::spawn_blocking(next).await.unwrap().unwrap(), [] as [Row; 0]);
    assert_eq!(indexes(&test.pool, &schema).await, with_color);
}

/// How Postgres finds a reading by its decimal, in a session in which modules search.
async fn plan(pool: &PgPool, schema: &Identifier) -> String {
    let explain = format!("EXPLAIN SELECT * FROM {schema}.readings WHERE \"decimal\" = 1.5 LIMIT 10");
    let lines: Vec<String> = sqlx::query_scalar(&explain).fetch_all(pool).await.unwrap();
    lines.join("\n")
}

/// Two builds beside each other stop in the middle of their replays, at an event that their module cannot handle, and go on on another host.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_has_the_indexes_that_it_searches_by_and_gets_the_others_at_its_end() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let look = |stream: usize| (format!("n-{stream:03}"), "Looked", json!({}));
    let measure = |stream: usize| {
        let decimal = format!("{}.5", stream % 7);
        (format!("n-{stream:03}"), "Measured", json!({"decimal": decimal}))
    };
    let first = (0..300).flat_map(|stream| [measure(stream), look(stream)]);
    // Nothing was measured there.
    host.append(first.chain([look(999)])).await;
    host.append((300..400).flat_map(|stream| [measure(stream), look(stream)])).await;
    host.append([("n-999".to_owned(), "Measured", json!({"float": 0.5})), look(999)]).await;

    let names = ["one", "other"].map(|name| Identifier::new(name).unwrap());
    let mut schemas = Vec::new();
    for name in &names {
        schemas.push(host.deploy(name, test_support::guest("numbers"), Activation::Auto).await.id.schema());
    }
    for (name, schema) in names.iter().zip(&schemas) {
        test_support::until("the build halts", async || {
            let projection = host.operations.projection(name, RetiredBuilds::Hidden).await.unwrap().unwrap();
            projection.builds[0].state == BuildState::Halted
        })
        .await;
        let there = vec!["(\"decimal\")".to_owned(), "(name)".to_owned()];
        assert_eq!(indexes(&host.database.lookups, schema).await, (there, 0));
        let plan = plan(&host.database.lookups, schema).await;
        assert!(plan.contains("Index Scan using readings_decimal_idx"), "{plan}");
    }
    host.projector.stop().await;

    let host = TestHost::start(&database).await;
    for name in &names {
        host.operations.set_on_failure(name, OnFailure::Skip).await.unwrap();
        host.operations.retry(name, None, Redelivery::InOrder).await.unwrap();
    }
    for (name, schema) in names.iter().zip(&schemas) {
        host.caught_up(name).await;
        let there = ["(\"decimal\")", "(\"float\")", "(name)"].map(str::to_owned).to_vec();
        assert_eq!(indexes(&host.database.lookups, schema).await, (there, 0));
        let found: Vec<(String, i64, i64)> =
            sqlx::query_as(&format!("SELECT name, same_decimal, same_float FROM {schema}.readings ORDER BY name"))
                .fetch_all(&host.database.lookups)
                .await
                .unwrap();
        // Each looked as soon as it was measured.
        let expected = (0..400_i64).map(|stream| (format!("{stream:03}"), stream / 7 + 1, 0));
        let last = ("999".to_owned(), 0, 1);
        assert_eq!(found, expected.chain([last]).collect::<Vec<_>>());
    }
    host.projector.stop().await;
}
