//! Calls its host, at a trigger, with undeclared names or in a way that the contract does not allow.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        let mut descriptor = notes();
        descriptor.tables.push(Table {
            name: "articles".to_owned(),
            description: None,
            columns: vec![
                column("id", ColumnType::Int64, false),
                column("author", ColumnType::CaseInsensitiveText, true),
                column("tags", ColumnType::TextArray, true),
            ],
            key: vec!["id".to_owned()],
            indexes: vec![
                index("by_author", &["author"]),
                Index { name: "by_tags".to_owned(), kind: IndexKind::Gin(names(&["tags"])) },
            ],
            references: Vec::new(),
        });
        descriptor
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let nothing: &[Vec<Value>] = &[];
            match word(event) {
                "put unknown table" => read_model::put_many("secrets", nothing),
                "delete unknown table" => read_model::delete_many("secrets", nothing),
                "get unknown table" => drop(read_model::get_many(&"x".repeat(1 << 20), nothing)),
                "find unknown table" => drop(read_model::find("secrets", "by_color", &[])),
                "find unknown index" => drop(read_model::find("notes", "by_smell", &[])),
                "find without values" => drop(read_model::find("notes", "by_color", &[])),
                "find too many values" => drop(read_model::find("notes", "by_color", &[Value::Null, Value::Null])),
                "find another type" => drop(read_model::find("notes", "by_color", &[Value::Int64(1)])),
                "find case-insensitive text" => {
                    drop(read_model::find("articles", "by_author", &[Value::CaseInsensitiveText("ada".to_owned())]));
                }
                "find by a gin index" => {
                    drop(read_model::find("articles", "by_tags", &[Value::TextArray(names(&["a"]))]));
                }
                "get empty key" => drop(read_model::get_many("notes", &[vec![]])),
                "get null key" => drop(read_model::get_many("notes", &[vec![Value::Null]])),
                "delete long key" => read_model::delete_many("notes", &[vec![Value::Int64(1), Value::Int64(2)]]),
                "delete another type" => read_model::delete_many("notes", &[vec![Value::Text("1".to_owned())]]),
                "get too many keys" => drop(read_model::get_many("notes", &vec![vec![Value::Int64(1)]; 100_001])),
                "find too many rows" => {
                    let rows: Vec<_> = (0..10_001).map(|position| note(position, "same")).collect();
                    read_model::put_many("notes", &rows);
                    drop(read_model::find("notes", "by_color", &[Value::Text("red".to_owned())]));
                }
                "turn elsewhere" => cursor::at(event.position + 1000),
                other => panic!("unknown call: {other}"),
            }
            Ok(())
        })
    }
}

guest!(Module);
