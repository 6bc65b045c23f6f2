//! Declares invalid tables, and is wrong about everything else as well.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        let key = names;
        let long = "x".repeat(1001);
        Descriptor {
            sdk: Sdk { version: "\u{7}".to_owned(), ..sdk() },
            description: Some(long),
            tables: vec![
                Table {
                    name: "twice".to_owned(),
                    description: Some(" ".to_owned()),
                    columns: vec![
                        column("id", ColumnType::Int64, false),
                        column("id", ColumnType::Text, false),
                        column("select", ColumnType::Text, false),
                        column("xmin", ColumnType::Text, false),
                        column("No Name", ColumnType::Text, false),
                    ],
                    key: key(&["id", "id"]),
                    indexes: vec![index("by_id", &["id"]), index("by_id", &["nothing"])],
                    references: vec![Reference { columns: names(&["gone"]), table: "keys".to_owned() }],
                },
                Table {
                    name: "twice".to_owned(),
                    description: None,
                    columns: Vec::new(),
                    key: Vec::new(),
                    indexes: Vec::new(),
                    references: Vec::new(),
                },
                Table {
                    name: "keys".to_owned(),
                    description: None,
                    columns: vec![
                        column("json", ColumnType::Json, false),
                        column("float", ColumnType::Float64, false),
                        column("optional", ColumnType::Text, true),
                    ],
                    key: key(&["json", "float", "optional"]),
                    indexes: vec![index("by_json", &["json"])],
                    references: Vec::new(),
                },
                Table {
                    name: "kinds".to_owned(),
                    description: None,
                    columns: vec![
                        column("id", ColumnType::Int64, false),
                        Column {
                            description: Some("\u{1}".to_owned()),
                            ..column("mail", ColumnType::CaseInsensitiveText, false)
                        },
                        column("tags", ColumnType::TextArray, false),
                        column("body", ColumnType::Text, false),
                    ],
                    key: key(&["id", "mail", "tags"]),
                    indexes: vec![
                        index("by_tags", &["tags"]),
                        Index { name: "in_body".to_owned(), kind: IndexKind::Gin(names(&["body"])) },
                        full_text("body", "klingon", &["tags"]),
                        full_text("nothing", "english", &[]),
                    ],
                    references: vec![
                        Reference { columns: names(&["body"]), table: "nowhere".to_owned() },
                        Reference { columns: names(&["id"]), table: "keys".to_owned() },
                        Reference { columns: names(&["id", "id", "id"]), table: "kinds".to_owned() },
                    ],
                },
            ],
            all_types: false,
            event_types: Vec::new(),
            categories: vec!["account-7".to_owned()],
            tags: names(&["course:c1", "", "course:c1", &"t".repeat(257)]),
            partitioned_by: None,
        }
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |_| Ok(()))
    }
}

fn full_text(name: &str, language: &str, columns: &[&str]) -> Index {
    let columns = columns.iter().map(|&column| WeightedColumn { column: column.to_owned(), weight: Weight::A });
    let kind = IndexKind::FullText(FullText { language: language.to_owned(), columns: columns.collect() });
    Index { name: name.to_owned(), kind }
}

guest!(Module);
