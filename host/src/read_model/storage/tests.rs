use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use sqlx::{Connection, Executor, PgConnection};

use super::*;
use crate::{
    postgres::test_database::TestDatabase,
    read_model::{
        CanonicalJson, Column, ColumnType, Identifier, Key, Row, Table, Value, WriteSet, cells_bytes,
        samples::{CREATE_COLLATION, btree, column, declaration, nullable, table, value},
    },
};

struct TestTables {
    tables: TableSet,
    connection: PgConnection,
    /// Write sets that were applied.
    applied: usize,
    database: TestDatabase,
}

impl TestTables {
    async fn create(table: Table) -> Self {
        let database = TestDatabase::create().await;
        let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
        connection.execute(CREATE_COLLATION).await.unwrap();
        let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::new(table)]);
        tables.create(&mut connection).await.unwrap();
        Self { tables, connection, applied: 0, database }
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
                            // Rows that are known to be new are written by another statement.
                            writes.note_new(&[], |_, key| !model.contains_key(key.cells()));
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
                            let find = Find { table: &table, index, values, limit: 1000, max_bytes: usize::MAX };
                            let mut found = test.tables.find(&mut test.connection, &find, |_| true).await.unwrap();
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

/// The indexes of the table by their columns, with its key; and those that are not valid.
async fn indexes(connection: &mut PgConnection) -> (Vec<String>, i64) {
    let definitions: Vec<String> = sqlx::query_scalar("SELECT indexdef FROM pg_indexes WHERE schemaname = 'build_1'")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let mut columns: Vec<String> =
        definitions.iter().map(|text| text.split_once(" USING ").unwrap().1.replace("btree ", "")).collect();
    columns.sort();
    let invalid = sqlx::query_scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetch_one(connection).await;
    (columns, invalid.unwrap())
}

#[tokio::test]
async fn an_index_that_is_there_is_not_made_again() {
    let mut test = TestTables::create(keyed()).await;
    let table = test.table();
    let (key, by_share) = ("(name, share, day, at, since)", table.index("by_share").unwrap());
    for _ in 0..2 {
        test.tables.add_index(&mut test.connection, &table, by_share).await.unwrap();
        assert_eq!(indexes(&mut test.connection).await, (vec![key.to_owned(), "(share)".to_owned()], 0));
    }
    // Those of somebody else: each has the columns of a declared one, and is another index.
    for others in ["(\"group\", share) INCLUDE (at)", "(since) WHERE share > 0", "USING hash (since)"] {
        test.connection.execute(format!("CREATE INDEX ON build_1.\"order\" {others}").as_str()).await.unwrap();
    }
    for _ in 0..2 {
        test.tables.add_indexes(&mut test.connection).await.unwrap();
        let (all, invalid) = indexes(&mut test.connection).await;
        let made: Vec<&str> = all.iter().map(String::as_str).collect();
        let expected = [
            "(\"group\", share) INCLUDE (at)",
            "(\"group\", share, at)",
            "(name, share, day, at, since)",
            "(share)",
            "(since)",
            "(since) WHERE (share > (0)::numeric)",
            "hash (since)",
        ];
        assert_eq!((made, invalid), (expected.to_vec(), 0));
    }
}

/// As when a worker is stopped while it makes an index, and the next one begins.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_make_an_index_one_waits_for_the_other() {
    let mut test = TestTables::create(keyed()).await;
    let table = test.table();
    for (end, made_by_first) in [("ROLLBACK", false), ("COMMIT", true)] {
        let index = table.index(if made_by_first { "by_group" } else { "by_share" }).unwrap().clone();
        test.connection.execute("BEGIN").await.unwrap();
        test.tables.add_index(&mut test.connection, &table, &index).await.unwrap();
        let mut second = PgConnection::connect_with(&test.database.connect_options()).await.unwrap();
        let (tables, its_table) = (test.tables.clone(), Arc::clone(&table));
        let waiting = tokio::spawn(async move { tables.add_index(&mut second, &its_table, &index).await });
        test_support::until("the second one waits", async || {
            let waits =
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'build_1.\"order\"'::regclass::oid
                           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            let mut looking = PgConnection::connect_with(&test.database.connect_options()).await.unwrap();
            sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut looking).await.unwrap() > 0
        })
        .await;
        test.connection.execute(end).await.unwrap();
        waiting.await.unwrap().unwrap();
    }
    let all = ["(\"group\", share, at)", "(name, share, day, at, since)", "(share)"].map(str::to_owned).to_vec();
    assert_eq!(indexes(&mut test.connection).await, (all, 0));
}

/// However many of the rows that Postgres has do not count, as many as asked for are found, and no others.
#[tokio::test]
async fn rows_that_do_not_count_take_nobodys_place() {
    let columns = [column("id", ColumnType::I64), nullable("color", ColumnType::Text)];
    let mut declaration = declaration("dots", columns, &["id"]);
    declaration.indexes = vec![btree("by_color", &["color"])];
    let mut test = TestTables::create(Table::check(&declaration).unwrap()).await;
    let (table, red) = (test.table(), Value::Text("red".to_owned()));
    let row = |id: i64| vec![Value::I64(id), if id < 200 { red.clone() } else { Value::Null }];
    test.apply(|writes| (0..210).for_each(|id| writes.put(0, row(id)))).await;
    let index = table.index("by_color").unwrap();
    let one_row = cells_bytes(&row(0));
    for (value, there) in [(red.clone(), 0..200), (Value::Null, 200..210)] {
        for first in [0, 1, 100, 195, 200, 205, 210] {
            for limit in [1, 5, 300] {
                let counts = |row: &[Value]| row[0] >= Value::I64(first);
                let expected = there.clone().filter(|id| *id >= first).count().min(limit);
                // Those that do not count take no memory either.
                let max_bytes = expected * one_row;
                let find = Find { table: &table, index, values: std::slice::from_ref(&value), limit, max_bytes };
                let found = test.tables.find(&mut test.connection, &find, counts).await.unwrap();
                assert_eq!(found.len(), expected, "{value:?} from {first}, {limit} at most");
                assert!(found.iter().all(|row| row[1] == value && counts(row)), "{found:?}");
            }
        }
    }
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
