//! Declares invalid tables.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        let key = |columns: &[&str]| columns.iter().map(|&column| column.to_owned()).collect();
        Descriptor {
            tables: vec![
                Table {
                    name: "twice".to_owned(),
                    columns: vec![
                        column("id", ColumnType::Int64, false),
                        column("id", ColumnType::Text, false),
                        column("select", ColumnType::Text, false),
                        column("xmin", ColumnType::Text, false),
                        column("No Name", ColumnType::Text, false),
                    ],
                    key: key(&["id", "id"]),
                    indexes: vec![index("by_id", &["id"]), index("by_id", &["nothing"])],
                },
                Table { name: "twice".to_owned(), columns: Vec::new(), key: Vec::new(), indexes: Vec::new() },
                Table {
                    name: "keys".to_owned(),
                    columns: vec![
                        column("json", ColumnType::Json, false),
                        column("float", ColumnType::Float64, false),
                        column("optional", ColumnType::Text, true),
                    ],
                    key: key(&["json", "float", "optional"]),
                    indexes: vec![index("by_json", &["json"])],
                },
            ],
            all_types: false,
            event_types: Vec::new(),
            categories: vec!["account-7".to_owned()],
            partitioned_by: None,
        }
    }

    fn handle(events: Vec<Event>) -> Result<(), Failure> {
        at_triggers(events, |_| Ok(()))
    }
}

guest!(Module);
