//! Writes, at a trigger, a row that none of its tables can hold.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

/// 0001-01-01T00:00:00Z
const FIRST_INSTANT: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z
const LAST_INSTANT: i64 = 253_402_300_799_999_999;
/// 23:59:59.999999
const LAST_TIME: i64 = 86_399_999_999;
/// 0001-01-01
const FIRST_DAY: i32 = -719_162;
/// 9999-12-31
const LAST_DAY: i32 = 2_932_896;

impl Guest for Module {
    fn describe() -> Descriptor {
        let mut descriptor = notes();
        descriptor.tables.push(Table {
            name: "everything".to_owned(),
            description: None,
            columns: vec![
                column("id", ColumnType::Text, false),
                column("number", ColumnType::Decimal, true),
                column("instant", ColumnType::Timestamp, true),
                column("day", ColumnType::Date, true),
                column("json", ColumnType::Json, true),
                column("bytes", ColumnType::Bytes, true),
                column("indexed", ColumnType::Text, true),
                column("local", ColumnType::LocalTimestamp, true),
                column("time", ColumnType::TimeOfDay, true),
                column("mail", ColumnType::CaseInsensitiveText, true),
                column("tags", ColumnType::TextArray, true),
                column("numbers", ColumnType::Int64Array, true),
                column("floats", ColumnType::Float64Array, true),
                column("uuids", ColumnType::UuidArray, true),
            ],
            key: vec!["id".to_owned()],
            indexes: vec![
                index("by_indexed", &["indexed"]),
                index("by_mail", &["mail"]),
                Index { name: "by_tags".to_owned(), kind: IndexKind::Gin(names(&["tags"])) },
            ],
            references: Vec::new(),
        });
        descriptor
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            match word(event) {
                "another type" => put("notes", vec![Value::Text("1".to_owned()), Value::Null, Value::Null]),
                "too few cells" => put("notes", vec![Value::Int64(1)]),
                "too many cells" => put("notes", vec![Value::Int64(1), Value::Null, Value::Null, Value::Null]),
                "null key" => put("notes", vec![Value::Null, Value::Null, Value::Null]),
                "no cells" => put("notes", Vec::new()),
                "nul in text" => put("notes", note(1, "\0")),
                "too large" => put("notes", note(1, &"x".repeat(1 << 20))),
                "no decimal" => everything(1, Value::Decimal("1e5".to_owned())),
                "long decimal" => everything(1, Value::Decimal("9".repeat(200_000))),
                "long fraction" => everything(1, Value::Decimal(format!("0.{}", "9".repeat(20_000)))),
                "early instant" => everything(2, Value::Timestamp(FIRST_INSTANT - 1)),
                "late instant" => everything(2, Value::Timestamp(LAST_INSTANT + 1)),
                "first integer" => everything(2, Value::Timestamp(i64::MIN)),
                "early day" => everything(3, Value::Date(FIRST_DAY - 1)),
                "late day" => everything(3, Value::Date(LAST_DAY + 1)),
                "no json" => everything(4, Value::Json("{".to_owned())),
                "deep json" => everything(4, Value::Json("[".repeat(100_000) + &"]".repeat(100_000))),
                "nul in json" => everything(4, Value::Json("\"\\u0000\"".to_owned())),
                "large bytes" => everything(5, Value::Bytes(vec![0; 1 << 20])),
                "large index" => everything(6, Value::Text("x".repeat(10_000))),
                "large key" => everything(0, Value::Text("x".repeat(10_000))),
                "early local timestamp" => everything(7, Value::LocalTimestamp(FIRST_INSTANT - 1)),
                "late local timestamp" => everything(7, Value::LocalTimestamp(LAST_INSTANT + 1)),
                "early time" => everything(8, Value::TimeOfDay(-1)),
                "late time" => everything(8, Value::TimeOfDay(LAST_TIME + 1)),
                "nul in case-insensitive text" => everything(9, Value::CaseInsensitiveText("a\0".to_owned())),
                "nul in an element" => everything(10, Value::TextArray(names(&["a", "\0"]))),
                "large index of case-insensitive text" => everything(9, Value::CaseInsensitiveText("x".repeat(10_000))),
                "large element" => everything(10, Value::TextArray(vec!["x".repeat(2401)])),
                "text for case-insensitive text" => everything(9, Value::Text("a".to_owned())),
                "another array" => everything(10, Value::Int64Array(vec![1])),
                "large array" => everything(11, Value::Int64Array(vec![0; 1 << 17])),
                "batch" => {
                    let text = "x".repeat(1 << 19);
                    for position in 0..1000 {
                        put("notes", note(position, &text));
                    }
                }
                "outermost" => {
                    put("notes", vec![Value::Int64(i64::MIN), Value::Text(String::new()), Value::Null]);
                    everything(1, Value::Decimal(format!("-{}", "9".repeat(100_000))));
                    everything(2, Value::Timestamp(LAST_INSTANT));
                    everything(2, Value::Timestamp(FIRST_INSTANT));
                    everything(3, Value::Date(FIRST_DAY));
                    everything(3, Value::Date(LAST_DAY));
                    everything(4, Value::Json("1e308".to_owned()));
                    everything(6, Value::Text("x".repeat(2000)));
                    everything(7, Value::LocalTimestamp(FIRST_INSTANT));
                    everything(7, Value::LocalTimestamp(LAST_INSTANT));
                    everything(8, Value::TimeOfDay(0));
                    everything(8, Value::TimeOfDay(LAST_TIME));
                    everything(9, Value::CaseInsensitiveText("x".repeat(2400)));
                    everything(10, Value::TextArray(vec!["x".repeat(2400), "y".repeat(2400), String::new()]));
                    everything(10, Value::TextArray(Vec::new()));
                    everything(11, Value::Int64Array(vec![i64::MIN, i64::MAX]));
                    everything(12, Value::Float64Array(vec![f64::NAN, -0.0, f64::MIN]));
                    everything(13, Value::UuidArray(Vec::new()));
                    everything(0, Value::Text("y".repeat(2000)));
                }
                other => panic!("unknown row: {other}"),
            }
            Ok(())
        })
    }
}

fn put(table: &str, row: Vec<Value>) {
    read_model::put_many(table, &[row]);
}

/// Writes a row of `everything` with this cell in one column.
fn everything(column: usize, cell: Value) {
    let mut row = vec![Value::Null; 14];
    row[0] = Value::Text(format!("{column} {cell:?}").chars().take(40).collect());
    row[column] = cell;
    put("everything", row);
}

guest!(Module);
