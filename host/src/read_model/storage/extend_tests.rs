//! What may change about tables that keep their rows, on a real Postgres.

use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::postgres::test_database::TestDatabase;

fn schema() -> Identifier {
    Identifier::new("reactor_1").unwrap()
}

fn column(name: &str, column_type: &str, nullable: bool) -> serde_json::Value {
    json!({"name": name, "type": column_type, "nullable": nullable})
}

/// A table with a key `id` and these columns, and B-trees over these.
fn table(name: &str, columns: &[serde_json::Value], indexes: &[(&str, &[&str])]) -> TableDeclaration {
    let mut all = vec![column("id", "i64", false)];
    all.extend_from_slice(columns);
    let indexes: Vec<_> =
        indexes.iter().map(|(name, columns)| json!({"name": name, "kind": "btree", "columns": columns})).collect();
    serde_json::from_value(json!({"name": name, "columns": all, "key": ["id"], "indexes": indexes})).unwrap()
}

fn reasons(stored: &[TableDeclaration], declared: &[TableDeclaration]) -> Vec<String> {
    Extension::of(stored, declared).unwrap_err().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn tables_gain_columns_and_indexes_and_keep_their_rows() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let first = [table("sums", &[column("a", "i64", false)], &[("by_a", &["a"])])];
    let begun = Extension::of(&[], &first).unwrap();
    begun.add(&mut connection, &schema()).await.unwrap();
    sqlx::query("INSERT INTO reactor_1.sums VALUES (1, 10)").execute(&mut connection).await.unwrap();

    // A column in the middle, another index under the name of the first, and a table.
    let second = [
        table(
            "sums",
            &[column("b", "text", true), column("a", "i64", false)],
            &[("by_a", &["b", "a"]), ("again", &["a"])],
        ),
        table("names", &[column("name", "text", false)], &[]),
    ];
    let extended = Extension::of(&begun.tables, &second).unwrap();
    let (columns, indexes) = (&extended.tables[0].columns, &extended.tables[0].indexes);
    assert_eq!(columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["id", "a", "b"]);
    assert_eq!(indexes.iter().map(|index| index.name.as_str()).collect::<Vec<_>>(), ["by_a", "by_a_2"]);
    extended.add(&mut connection, &schema()).await.unwrap();
    // Rows are read and written by the names of columns, so their order makes no difference.
    let tables = TableSet::new(schema(), &checked(&second));
    let sums = Arc::clone(tables.table("sums").unwrap());
    let mut writes = crate::read_model::WriteSet::new(&checked(&second));
    use crate::read_model::Value;
    writes.put(0, vec![Value::I64(2), Value::Text("two".to_owned()), Value::I64(20)]);
    tables.apply(&mut connection, &writes).await.unwrap();
    let keys = [vec![Value::I64(1)], vec![Value::I64(2)]];
    let rows = tables.get_many(&mut connection, &sums, &keys, 1 << 20).await.unwrap();
    assert_eq!(rows[0], Some(vec![Value::I64(1), Value::Null, Value::I64(10)]));
    assert_eq!(rows[1], Some(vec![Value::I64(2), Value::Text("two".to_owned()), Value::I64(20)]));
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'reactor_1.sums'::regclass AND NOT indisprimary ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().any(|index| index.ends_with("(a)")) && found.iter().any(|index| index.ends_with("(b, a)")),
        "{found:?}"
    );

    // The first version again: what the second has added stays, and asks for nothing.
    let back = Extension::of(&extended.tables, &first).unwrap();
    assert_eq!(back.tables, extended.tables);
    back.add(&mut connection, &schema()).await.unwrap();
    Extension::drop_all(&mut connection, schema(), &back.tables).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname = 'reactor_1'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_would_lose_rows_or_leave_them_without_a_value_is_refused() {
    let stored = [table("sums", &[column("a", "i64", false), column("b", "text", true)], &[])];
    assert_eq!(
        reasons(&stored, &[table("sums", &[column("a", "text", false), column("c", "i64", false)], &[])]),
        [
            "column `a` of table `sums` is i64, and is declared as text; give the new one another name",
            "column `c` of table `sums` is new, so it has to be nullable: the rows that are there have nothing in it",
        ]
    );
    assert_eq!(
        reasons(&stored, &[table("sums", &[column("b", "text", false)], &[])]),
        [
            "column `a` of table `sums` is not declared any more, and is not nullable; declare it, or give the table another name",
            "column `b` of table `sums` is text, nullable, and is declared as text; give the new one another name",
        ]
    );
    let mut keyed = stored.to_vec();
    keyed[0].key = vec!["a".to_owned()];
    assert_eq!(
        reasons(&stored, &keyed),
        ["the key of table `sums` is (id), and is declared as (a); give the table another name"]
    );
    // A table that is not declared any more stays.
    assert_eq!(Extension::of(&stored, &[]).unwrap().tables, stored);
    assert_eq!(Extension::of(&stored, &stored).unwrap().tables, stored);
}
