use gnomon_values::{
    Day, Instant,
    limits::{MAX_COLUMNS, MAX_INDEX_COLUMNS},
};

use super::*;
use crate::read_model::{Decimal, Float, samples};

fn table(columns: &[(String, ColumnType)], key: &[&str]) -> Arc<Table> {
    let columns = columns.iter().map(|(name, column_type)| {
        let column = if key.contains(&name.as_str()) { samples::column } else { samples::nullable };
        column(name, *column_type)
    });
    let declaration = samples::declaration("wide", columns, key);
    Arc::new(Table::check(&declaration).unwrap())
}

fn rows_of(comparison: &TableComparison) -> &RowDifferences {
    match &comparison.outcome {
        Outcome::Compared(rows) => rows,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_as_wide_as_they_may_be_are_compared() {
    let mut columns: Vec<(String, ColumnType)> =
        (0..MAX_COLUMNS).map(|index| (format!("column_{index}"), ColumnType::I64)).collect();
    columns[20].1 = ColumnType::Json;
    let key: Vec<String> = (0..MAX_INDEX_COLUMNS).map(|index| format!("column_{}", index * 3)).collect();
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    let table = table(&columns, &key);
    let row = |number: i64| -> Row {
        let cell = |index: usize| if index == 20 { Value::Null } else { Value::I64(number) };
        (0..columns.len()).map(cell).collect()
    };
    let left: Vec<Row> = (0..20).map(row).collect();
    let mut right = left.clone();
    right[7][249] = Value::I64(-1);
    right.remove(3);

    let mut sides = Sides::create().await;
    let one = sides.fill("build_1", &[Filled { table: Arc::clone(&table), rows: left }]).await;
    let other = sides.fill("build_2", &[Filled { table, rows: right }]).await;
    let compared = sides.compare(&one, &other, 5).await;
    let rows = rows_of(&compared[0]);
    assert_eq!((rows.added, rows.removed, rows.changed, rows.equal), (0, 1, 1, 18));
    assert_eq!(rows.changed_columns.len(), MAX_COLUMNS - MAX_INDEX_COLUMNS);
    assert_eq!(rows.samples.changed[0].columns, [Identifier::new("column_249").unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_rows_do_not_fill_the_memory() {
    let table = table(&[("id".into(), ColumnType::I64), ("doc".into(), ColumnType::Text)], &["id"]);
    let text = |letter: &str| letter.repeat(1024 * 1024);
    let rows: Vec<Row> = (0..12).map(|id| vec![Value::I64(id), Value::Text(text("x"))]).collect();
    let mut sides = Sides::create().await;
    let empty = sides.fill("build_1", &[Filled { table: Arc::clone(&table), rows: vec![] }]).await;
    let full = sides.fill("build_2", &[Filled { table, rows }]).await;
    let compared = sides.compare(&empty, &full, 100).await;
    let rows = rows_of(&compared[0]);
    // Each row has a little more than a megabyte, and the budget is eight.
    assert_eq!((rows.added, rows.samples.added.len()), (12, 7));
}

/// The hash depends on the values of the rows, not on their physical order or on how a server formats them.
#[tokio::test(flavor = "multi_thread")]
async fn settings_and_physical_order_change_neither_the_hash_nor_samples() {
    let columns = [
        ("id".to_owned(), ColumnType::Decimal),
        ("at".to_owned(), ColumnType::Timestamp),
        ("day".to_owned(), ColumnType::Date),
        ("ratio".to_owned(), ColumnType::F64),
        ("raw".to_owned(), ColumnType::Bytes),
    ];
    let table = table(&columns, &["id"]);
    let row = |id: i64| -> Row {
        vec![
            Value::Decimal(Decimal::parse(&format!("{id}.5")).unwrap()),
            Value::Timestamp(Instant(1_709_208_000_250_000)),
            Value::Date(Day(19_782)),
            Value::F64(Float::new(0.1 + 0.2)),
            Value::Bytes(vec![0, 255]),
        ]
    };
    let rows: Vec<Row> = (0..50).map(row).collect();
    let backwards: Vec<Row> = rows.iter().rev().cloned().collect();
    let mut sides = Sides::create().await;
    let one = sides.fill("build_1", &[Filled { table: Arc::clone(&table), rows }]).await;
    // Written row by row, so that they are stored in this order.
    let other = sides.fill("build_2", &[Filled { table: Arc::clone(&table), rows: vec![] }]).await;
    for row in backwards {
        let mut writes = WriteSet::new(&[Arc::clone(&table)]);
        writes.put(0, row);
        other.apply(&mut sides.connection, &writes).await.unwrap();
    }
    let empty = sides.fill("build_3", &[Filled { table, rows: vec![] }]).await;

    let hash = sides.hash(&one).await;
    assert_eq!(hash.tables[0].rows, 50);
    let samples = sides.compare(&empty, &one, 1).await;
    let sample = rows_of(&samples[0]).samples.added[0].get().to_owned();
    assert_eq!(
        sample,
        r#"{"id":0.5,"at":"2024-02-29T12:00:00.25Z","day":"2024-02-29","ratio":0.30000000000000004,"raw":"\\x00ff"}"#
    );
    sides
        .connection
        .execute(
            "SET DateStyle = 'German, DMY'; SET extra_float_digits = -10; SET TimeZone = 'Asia/Tokyo';
             SET bytea_output = 'escape'; SET enable_sort = off; SET enable_seqscan = off",
        )
        .await
        .unwrap();
    assert_eq!(sides.hash(&one).await, hash);
    assert_eq!(sides.hash(&other).await, hash);
    assert_ne!(sides.hash(&empty).await, hash);
    let samples = sides.compare(&empty, &other, 1).await;
    assert_eq!(rows_of(&samples[0]).samples.added[0].get(), sample);
    assert!(sides.compare(&one, &other, 1).await[0].identical);

    // Never changes: users compare it with hashes that they recorded earlier.
    assert_eq!(hash.hash.to_string(), "4984eab5c4b0bb5885bf16c9bb5000017f46a41449d84b05cf44c1cde8c01eae");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_moves_to_the_next_cell_changes_the_hash() {
    let table = table(
        &[("id".into(), ColumnType::I64), ("a".into(), ColumnType::Text), ("b".into(), ColumnType::Text)],
        &["id"],
    );
    let text = |text: &str| Value::Text(text.into());
    let mut hashes = Vec::new();
    let mut sides = Sides::create().await;
    for (number, (a, b)) in
        [(text("x"), text("")), (text(""), text("x")), (text("x"), Value::Null), (Value::Null, text("x"))]
            .into_iter()
            .enumerate()
    {
        let filled = Filled { table: Arc::clone(&table), rows: vec![vec![Value::I64(1), a, b]] };
        let set = sides.fill(&format!("build_{number}"), &[filled]).await;
        hashes.push(sides.hash(&set).await.hash);
    }
    let distinct: std::collections::HashSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len(), "{hashes:?}");
}
