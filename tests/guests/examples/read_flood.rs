//! Reads the same rows again and again at a trigger.

#![cfg(target_family = "wasm")]

use guests::*;

struct Module;

impl Guest for Module {
    fn describe() -> Descriptor {
        notes()
    }

    fn handle(batch: Batch) -> Result<(), Failure> {
        at_triggers(batch, |event| {
            let rows: Vec<_> = (0..100).map(|number| note(number, &"x".repeat(1 << 19))).collect();
            let key = |number| vec![Value::Int64(number)];
            match word(event) {
                "one large row" => {
                    read_model::put_many("notes", &rows[..1]);
                    drop(read_model::get_many("notes", &vec![key(0); 50_000]));
                }
                "many large rows" => {
                    for row in &rows {
                        read_model::put_many("notes", std::slice::from_ref(row));
                    }
                    drop(read_model::find("notes", "by_color", &[Value::Text("red".to_owned())]));
                }
                _ => loop {
                    drop(read_model::get_many("notes", &(0..10_000).map(key).collect::<Vec<_>>()));
                },
            }
            Ok(())
        })
    }
}

guest!(Module);
