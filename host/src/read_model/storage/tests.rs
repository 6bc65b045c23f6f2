use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use sqlx::{Connection, Executor, PgConnection};

use super::*;
use crate::{
    postgres::test_database::TestDatabase,
    read_model::{
        CanonicalJson, Column, ColumnType, Identifier, Key, Row, Table, Value, WriteSet,
        samples::{CREATE_COLLATION, btree, column, declaration, nullable, table, value},
    },
};

struct TestTables {
    tables: TableSet,
    connection: PgConnection,
    /// Write sets that were applied.
    applied: usize,
    _database: TestDatabase,
}

impl TestTables {
    async fn create(table: Table) -> Self {
        let database = TestDatabase::create().await;
        let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
        connection.execute(CREATE_COLLATION).await.unwrap();
        let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::new(table)]);
        tables.create(&mut connection).await.unwrap();
        Self { tables, connection, applied: 0, _database: database }
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(self.tables.tables().next().unwrap())
    }

    async fn apply(&mut self, change: impl FnOnce(&mut WriteSet)) {
        let mut writes = WriteSet::new(&[self.table()]);
        change(&mut writes);
        // In turns, by statements and by parts of one.
        self.applied += 1;
        if self.applied.is_multiple_of(2) {
            self.tables.apply(&mut self.connection, &writes).await.unwrap();
        } else {
            self.apply_parts(&writes, 1).await;
        }
    }

    /// Applies by parts of a statement, whose condition has so many rows.
    async fn apply_parts(&mut self, writes: &WriteSet, rows: i64) {
        let parts = self.tables.parts(writes, "condition", 2).unwrap();
        let text = format!("WITH condition AS (SELECT FROM generate_series(1, $1)){parts} SELECT FROM condition");
        let statement = TableSet::bind_parts(sqlx::query(&text).bind(rows), writes);
        statement.execute(&mut self.connection).await.unwrap();
    }

    async fn get(&mut self, keys: &[Key]) -> Vec<Option<Row>> {
        let table = self.table();
        self.tables.get_many(&mut self.connection, &table, keys, usize::MAX).await.unwrap()
    }
}

/// A table with a key of several types, and indexes.
fn keyed() -> Table {
    let columns = [
        nullable("group", ColumnType::Text),
        column("name", ColumnType::Text),
        column("day", ColumnType::Date),
        column("share", ColumnType::Decimal),
        column("at", ColumnType::Time),
        column("since", ColumnType::LocalTimestamp),
    ];
    let mut declaration = declaration("order", columns, &["name", "share", "day", "at", "since"]);
    declaration.indexes = vec![
        btree("by_group", &["group", "share", "at"]),
        btree("by_share", &["share"]),
        btree("by_since", &["since"]),
    ];
    Table::check(&declaration).unwrap()
}

/// A row for each of a few keys.
fn cells(table: &Table) -> impl Strategy<Value = Row> + use<> {
    table
        .columns()
        .iter()
        .map(|column| match (column.name.as_str(), column.nullable) {
            ("id", _) => (0..12_i64).prop_map(Value::I64).boxed(),
            (_, false) => value(column.column_type),
            (_, true) => prop_oneof![1 => Just(Value::Null), 3 => value(column.column_type)].boxed(),
        })
        .collect::<Vec<_>>()
}

/// After any writes and deletions in any batches, Postgres holds the same rows as a map.
#[tokio::test(flavor = "multi_thread")]
async fn tables_hold_the_same_rows_as_a_map() {
    for table in [table(), keyed()] {
        let batches = prop::collection::vec(prop::collection::vec((cells(&table), any::<bool>()), 0..12), 1..6);
        let mut test = TestTables::create(table).await;
        let table = test.table();
        let index = table.indexes().first().cloned();
        let runtime = tokio::runtime::Handle::current();
        let mut runner = TestRunner::new(ProptestConfig::with_cases(60));
        let mut model: BTreeMap<Key, Row> = BTreeMap::new();
        let result = tokio::task::block_in_place(|| {
            // The runner takes a function that can be called again; the state carries over from call to call.
            let state = std::cell::RefCell::new((&mut test, &mut model));
            runner.run(&batches, |batches| {
                let (test, model) = &mut *state.borrow_mut();
                runtime.block_on(async {
                    for batch in &batches {
                        test.apply(|writes| {
                            for (row, keep) in batch {
                                if *keep {
                                    writes.put(0, row.clone());
                                } else {
                                    writes.delete(0, table.key_of(row));
                                }
                            }
                        })
                        .await;
                        for (row, keep) in batch {
                            let key = table.key_of(row);
                            if *keep {
                                model.insert(key, row.clone())
                            } else {
                                model.remove(&key)
                            };
                        }
                    }
                    let keys: Vec<Key> = batches.iter().flatten().map(|(row, _)| table.key_of(row)).collect();
                    let expected: Vec<Option<Row>> = keys.iter().map(|key| model.get(key).cloned()).collect();
                    prop_assert_eq!(test.get(&keys).await, expected);
                    if let (Some(index), Some((row, _))) = (&index, batches.iter().flatten().next()) {
                        let values: Vec<Value> = index.btree().iter().map(|&column| row[column].clone()).collect();
                        for count in 1..=values.len() {
                            let values = &values[..count];
                            let found =
                                test.tables.find(&mut test.connection, &table, index, values, 1000, usize::MAX).await;
                            let mut found = found.unwrap();
                            found.sort_by_cached_key(|row| table.key_of(row));
                            let matches = |row: &&Row| index.btree().iter().zip(values).all(|(&c, v)| row[c] == *v);
                            let expected: Vec<Row> = model.values().filter(matches).cloned().collect();
                            prop_assert_eq!(found, expected);
                        }
                    }
                    Ok(())
                })
            })
        });
        result.unwrap();
    }
}

#[tokio::test]
async fn parts_write_nothing_without_their_condition() {
    let mut test = TestTables::create(keyed()).await;
    let (table, mut runner) = (test.table(), TestRunner::deterministic());
    let [first, second] = [(); 2].map(|()| cells(&table).new_tree(&mut runner).unwrap().current());
    test.apply(|writes| writes.put(0, first.clone())).await;
    let mut writes = WriteSet::new(&[test.table()]);
    writes.delete(0, table.key_of(&first));
    writes.put(0, second.clone());
    let keys = [table.key_of(&first), table.key_of(&second)];
    assert_ne!(keys[0], keys[1]);
    test.apply_parts(&writes, 0).await;
    assert_eq!(test.get(&keys).await, [Some(first), None]);
    test.apply_parts(&writes, 1).await;
    assert_eq!(test.get(&keys).await, [None, Some(second)]);
}

#[tokio::test]
async fn a_table_with_only_key_columns_can_be_written_twice() {
    let declaration = declaration("seen", [column("id", ColumnType::Uuid)], &["id"]);
    let mut test = TestTables::create(Table::check(&declaration).unwrap()).await;
    let row = vec![Value::Uuid(uuid::Uuid::from_u128(5))];
    for _ in 0..2 {
        test.apply(|writes| writes.put(0, row.clone())).await;
    }
    assert_eq!(test.get(std::slice::from_ref(&row)).await, [Some(row)]);
}

#[tokio::test]
async fn keys_are_compared_byte_by_byte_and_indexes_are_added_later() {
    let mut test = TestTables::create(keyed()).await;
    let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'build_1' ORDER BY indexname";
    let before: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&mut test.connection).await.unwrap();
    assert_eq!(before.len(), 1, "the key only: {before:?}");
    test.tables.add_indexes(&mut test.connection).await.unwrap();
    let after: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&mut test.connection).await.unwrap();
    assert!(after.iter().any(|index| index.ends_with("btree (\"group\", share, at)")), "{after:?}");
    assert_eq!(after.len(), 4, "{after:?}");

    let collation: String = sqlx::query_scalar(
        "SELECT collation_name FROM information_schema.columns WHERE table_schema = 'build_1' AND column_name = 'name'",
    )
    .fetch_one(&mut test.connection)
    .await
    .unwrap();
    assert_eq!(collation, "C");

    test.tables.drop(&mut test.connection).await.unwrap();
    test.tables.drop(&mut test.connection).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&mut test.connection).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_table_may_have_the_name_of_a_key_s_index() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let named =
        |name: &str| Arc::new(Table::check(&declaration(name, [column("id", ColumnType::I64)], &["id"])).unwrap());
    let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[named("a"), named("a_pkey")]);
    tables.create(&mut connection).await.unwrap();
}

#[tokio::test]
async fn reading_stops_at_the_limit() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let columns = [column("id", ColumnType::I64), column("text", ColumnType::Text)];
    let declaration = declaration("notes", columns, &["id"]);
    let table = Arc::new(Table::check(&declaration).unwrap());
    let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::clone(&table)]);
    tables.create(&mut connection).await.unwrap();
    let mut writes = WriteSet::new(&[Arc::clone(&table)]);
    (0..10).for_each(|id| writes.put(0, vec![Value::I64(id), Value::Text("x".repeat(1000))]));
    tables.apply(&mut connection, &writes).await.unwrap();

    let keys: Vec<Key> = (0..10).map(|id| vec![Value::I64(id)]).collect();
    let error = tables.get_many(&mut connection, &table, &keys, 5000).await.unwrap_err();
    assert!(matches!(error, LookupError::TooLarge(RowsTooLarge { max_bytes: 5000 })), "{error}");
    // The connection is still usable.
    assert_eq!(tables.get_many(&mut connection, &table, &keys, 50_000).await.unwrap().iter().flatten().count(), 10);
}

/// Postgres returns canonical JSON unchanged, except for blanks and the order of keys.
#[tokio::test(flavor = "multi_thread")]
async fn canonical_json_comes_back_unchanged() {
    let golden = include_str!("../../../../guest-sdk/values/tests/golden/json.tsv").lines();
    let mut forms: Vec<String> = golden
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once('\t')?.1.to_owned()))
        .filter(|form| !form.starts_with('!'))
        .collect();
    for most in ["1e131071", "-1e131071", "1e-16383", "-1.5e-16382", &"9".repeat(131_072)] {
        forms.push(CanonicalJson::parse(most).unwrap().into());
    }
    let mut test = TestTables::create(table()).await;
    let table = test.table();
    let row = |number: usize, form: &str| -> Row {
        let cell = |column: &Column| match column.name.as_str() {
            "id" => Value::I64(i64::try_from(number).unwrap()),
            "doc" => Value::Json(CanonicalJson::parse(form).unwrap()),
            _ => Value::Null,
        };
        table.columns().iter().map(cell).collect()
    };
    let rows: Vec<Row> = forms.iter().enumerate().map(|(number, form)| row(number, form)).collect();
    test.apply(|writes| rows.iter().for_each(|row| writes.put(0, row.clone()))).await;
    let keys: Vec<Key> = rows.iter().map(|row| table.key_of(row)).collect();
    let found = test.get(&keys).await;
    let texts: Vec<String> = sqlx::query_scalar("SELECT doc::text FROM build_1.flights ORDER BY id")
        .fetch_all(&mut test.connection)
        .await
        .unwrap();
    for (((form, row), found), text) in forms.iter().zip(rows).zip(found).zip(texts) {
        assert_eq!(found, Some(row), "{form}");
        let one_token = !form.starts_with(['{', '[']);
        assert!(!one_token || text == *form, "{form} became {text}");
    }
}

/// As in a Postgres that is built without ICU.
#[tokio::test]
async fn without_a_case_insensitive_collation_the_error_names_the_column_and_the_way_out() {
    let mut test = TestTables::create(table()).await;
    test.tables.drop(&mut test.connection).await.unwrap();
    test.connection.execute("DROP COLLATION gnomon.case_insensitive").await.unwrap();
    let error = test.tables.create(&mut test.connection).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "table `flights`: column `city` is citext, but this Postgres has no case-insensitive collation: it is built without ICU. \
         Use a Postgres with ICU, as most are, or declare the column as text; see docs/postgres.md"
    );
    test.tables.drop(&mut test.connection).await.unwrap();
    test.connection.execute(include_str!("../../../../migrations/0005_case_insensitive.sql")).await.unwrap();
    test.tables.create(&mut test.connection).await.unwrap();
}
