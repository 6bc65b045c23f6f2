//! What is printed is a program of its language: compilers read it.

use std::{fs, path::Path, process::Command};

use super::*;
use crate::api::{ColumnDescriptor, ColumnType};

/// Tables with every type of column, each also with nulls, and with names that are words of a language.
fn tables() -> Vec<TableDescriptor> {
    let known = gnomon_values::ColumnType::ALL.map(gnomon_values::ColumnType::name);
    let columns = known.into_iter().chain(["of_tomorrow"]).flat_map(|column_type| {
        let name = column_type.replace("[]", "_array");
        [false, true].map(|nullable| ColumnDescriptor {
            name: if nullable { format!("{name}_or_null") } else { name.clone() },
            description: nullable.then(|| format!("A {name},\nor nothing */.")),
            column_type: ColumnType::from(column_type.to_owned()),
            nullable,
        })
    });
    let words = ["class", "type", "self", "super", "crate", "gen", "function", "await", "none", "_"];
    let text = |name: &&str| ColumnDescriptor {
        name: (*name).to_owned(),
        description: None,
        column_type: ColumnType::Text,
        nullable: false,
    };
    let table = |name: &str, columns: Vec<ColumnDescriptor>| {
        let key = vec![columns[0].name.clone()];
        TableDescriptor {
            name: name.to_owned(),
            description: Some(format!("What is said of {name}.")),
            columns,
            key,
            indexes: Vec::new(),
            references: Vec::new(),
        }
    };
    vec![table("every_type", columns.collect()), table("self", words.iter().map(text).collect())]
}

fn written(language: Language, folder: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, language.render("Rows of the projection `words`: version 2, build 3.", &tables())).unwrap();
    path
}

/// Runs a program; `None` if this machine does not have it.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<()> {
    let found = Command::new(program).args(arguments).current_dir(folder).output();
    let output = match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&said));
    Some(())
}

#[test]
fn python_reads_its_types() {
    let folder = tempfile::tempdir().unwrap();
    written(Language::Python, folder.path(), "rows.py");
    let program = "import rows, typing\n\
                   hints = typing.get_type_hints(rows.EveryType)\n\
                   assert hints['i64'] is int and hints['i64_or_null'] == typing.Optional[int], hints\n\
                   assert 'class' in typing.get_type_hints(rows.RowSelf)\n";
    assert!(run("python3", &["-c", program], folder.path()).is_some(), "this test needs python3");
}

#[test]
fn the_types_of_typescript_are_these() {
    insta::assert_snapshot!(Language::TypeScript.render("Rows.", &tables()));
}

/// A crate beside the workspace, with the serde that the workspace has.
#[test]
fn rust_compiles_its_types_and_reads_and_writes_rows_with_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    written(Language::Rust, folder.path(), "src/rows.rs");
    let row = r##"r#"{"text": "a", "text_or_null": null, "bool": true, "bool_or_null": null, "i64": 7, "i64_or_null": 8, "f64": "NaN",
        "f64_or_null": 0.5, "decimal": 1.10, "decimal_or_null": null, "timestamp": "2013-01-01T00:00:00Z", "timestamp_or_null": null,
        "date": "2013-01-01", "date_or_null": null, "uuid": "u", "uuid_or_null": null, "json": {"a": [1]}, "json_or_null": null,
        "bytes": "\\x00", "bytes_or_null": null, "citext": "a", "citext_or_null": null,
        "local_timestamp": "2013-01-01T00:00:00", "local_timestamp_or_null": null, "time": "10:17:00", "time_or_null": null,
        "text_array": ["a"], "text_array_or_null": null, "i64_array": [1], "i64_array_or_null": [2],
        "f64_array": [0.5, "NaN"], "f64_array_or_null": null, "uuid_array": [], "uuid_array_or_null": null, "of_tomorrow": 1, "of_tomorrow_or_null": null}"#"##;
    let main = format!(
        "#![deny(warnings)]\n#![allow(dead_code)]\nmod rows;\nfn main() {{\n    let text = {row};\n    \
         let row: rows::EveryType = serde_json::from_str(text).unwrap();\n    assert!(row.f64.is_nan());\n    \
         assert_eq!((row.f64_or_null, row.i64_or_null), (Some(0.5), Some(8)));\n    \
         let written = serde_json::to_value(&row).unwrap();\n    \
         assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());\n    \
         let words: rows::RowSelf = serde_json::from_str(r#\"{{\"class\": \"\", \"type\": \"\", \"self\": \"s\", \"super\": \"\", \
         \"crate\": \"\", \"gen\": \"\", \"function\": \"\", \"await\": \"\", \"none\": \"\", \"_\": \"\"}}\"#).unwrap();\n    \
         assert_eq!(words.self_, \"s\");\n}}\n"
    );
    fs::write(folder.path().join("src/main.rs"), main).unwrap();
    let manifest = "[package]\nname = \"rows\"\nedition = \"2024\"\n[dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n\
                    serde_json = { version = \"1\", features = [\"arbitrary_precision\"] }\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    // The versions of the workspace are on this machine already.
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/types-of-rows");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["run", "--quiet", "--offline", "--target-dir", target];
    assert!(run(&cargo, &arguments, folder.path()).is_some());
}
