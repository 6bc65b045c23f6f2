use super::*;
use crate::read_model::samples::{self, btree, column, nullable};

fn declaration() -> TableDeclaration {
    let columns = [
        column("id", ColumnType::Text),
        column("balance", ColumnType::I64),
        nullable("rate", ColumnType::F64),
        nullable("notes", ColumnType::Json),
    ];
    let declaration = samples::declaration("accounts", columns, &["id"]);
    TableDeclaration { indexes: vec![btree("by_balance", &["balance"])], ..declaration }
}

fn complaints(change: impl FnOnce(&mut TableDeclaration)) -> Vec<String> {
    let mut declaration = declaration();
    change(&mut declaration);
    Table::check(&declaration).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_valid_declaration_becomes_a_table() {
    let table = Table::check(&declaration()).unwrap();
    assert_eq!(table.key(), [0]);
    assert_eq!(table.index("by_balance").unwrap().btree(), [1]);
    assert_eq!(table.column("rate").unwrap().column_type, ColumnType::F64);
}

#[test]
fn every_error_is_named() {
    assert_eq!(
        complaints(|t| {
            t.name = "Accounts".into();
            t.key = vec!["rate".into(), "owner".into()];
            t.columns.push(column("select", ColumnType::Text));
            t.columns.push(column("ctid", ColumnType::Text));
            t.columns.push(column("id", ColumnType::Text));
            t.indexes.push(btree("by_notes", &["notes"]));
            t.indexes.push(btree("by_nothing", &[]));
        }),
        [
            "table: the name `Accounts` must be made of a to z, 0 to 9 and _, and must not begin with a digit",
            "table `Accounts`: column `id` is declared twice",
            "table `Accounts`: a column must not be called `select`, the query language of the HTTP API uses that name",
            "table `Accounts`: a column must not be called `ctid`, Postgres uses that name",
            "table `Accounts`: the key names `owner`, which is not a column of the table",
            "table `Accounts`: column `rate` cannot be part of the key because it is nullable",
            "table `Accounts`: index `by_notes`: column `notes` is json, but the index needs values that have an order; a gin index finds what json and arrays contain",
            "table `Accounts`: columns of index `by_nothing`: 0; 1 to 16 are allowed",
        ]
    );
    assert_eq!(complaints(|t| t.key.clear()), ["table `accounts`: key columns: 0; 1 to 16 are allowed"]);
}

#[test]
fn rows_and_keys_must_fit() {
    let table = Table::check(&declaration()).unwrap();
    let row = vec![Value::Text("a".into()), Value::I64(5), Value::Null, Value::Null];
    assert_eq!(table.check_row(&row), Ok(()));
    assert_eq!(table.key_of(&row), [Value::Text("a".into())]);

    let complaint = |row: Vec<Value>| table.check_row(&row).unwrap_err().to_string();
    assert_eq!(complaint(vec![]), "table `accounts`: a row has 4 values, but the module passed 0");
    assert_eq!(
        complaint(vec![Value::Text("a".into()), Value::Bool(true), Value::Null, Value::Null]),
        "table `accounts`: column `balance` has type i64, but the module passed a value of type bool"
    );
    assert_eq!(
        complaint(vec![Value::Null, Value::I64(5), Value::Null, Value::Null]),
        "table `accounts`: column `id` must not be null"
    );
    assert_eq!(
        complaint(vec![Value::Text("a\0".into()), Value::I64(5), Value::Null, Value::Null]),
        "table `accounts`: column `id`: the text contains NUL (\\0), which Postgres cannot hold"
    );
    let long = "é".repeat(2000);
    assert_eq!(
        complaint(vec![Value::Text(long), Value::I64(5), Value::Null, Value::Null]),
        "table `accounts`: the values of the key have 4000 bytes; an index holds at most 2400 (put a digest there instead)"
    );
    assert_eq!(
        table.check_find(table.index("by_balance").unwrap(), &[]).unwrap_err().to_string(),
        "table `accounts`: a find has 1 values, but the module passed 0"
    );
}
