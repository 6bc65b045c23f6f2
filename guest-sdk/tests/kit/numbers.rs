//! The kit keeps JSON in the same form as the host.

use gnomon_sdk::{
    Column,
    prelude::*,
    schema,
    serde_json::{Value, value::RawValue},
    testing::{TestEvent, event, given, upcast},
};

#[derive(Events)]
enum Keeping {
    #[event("Kept")]
    Kept(Value),
}

#[derive(Table)]
#[table("documents")]
struct Document {
    #[key]
    name: String,
    document: Value,
    inside: Json<Vec<Value>>,
}

struct Keep;

impl Projection for Keep {
    type Event = Keeping;
    type Tables = Document;

    fn handle(event: &Event<Keeping>, rows: &mut Rows) -> Result<(), Failure> {
        let Keeping::Kept(document) = &event.data;
        let inside = Json(vec![document.clone()]);
        rows.put(Document { name: event.stream_id().to_owned(), document: document.clone(), inside });
        Ok(())
    }
}

fn kept(number: usize, json: &str) -> TestEvent {
    match RawValue::from_string(json.to_owned()) {
        Ok(json) => event(format!("document-{number:03}"), "Kept", json),
        Err(error) => panic!("{json}: {error}"),
    }
}

#[test]
fn every_document_has_the_canonical_form() {
    let golden = include_str!("../../values/tests/golden/json.tsv").lines().filter(|line| !line.starts_with('#'));
    let (refused, forms): (Vec<_>, Vec<_>) =
        golden.map(|line| line.split_once('\t').unwrap()).partition(|(_, form)| form.starts_with('!'));
    // A `Value` cannot hold an object that begins with a reserved key of serde_json, and serde_json reads no deeper than 127.
    let readable = |text: &str| !text.starts_with("{\"$serde_json") && !text.starts_with("[[[[");
    let forms: Vec<_> = forms.into_iter().filter(|(text, _)| readable(text)).collect();
    let scenario = given::<Keep>(forms.iter().enumerate().map(|(number, (text, _))| kept(number, text)));
    for (row, (text, form)) in scenario.rows::<Document>().iter().zip(&forms) {
        assert_eq!(row.document.to_value(), Ok(schema::Value::Json((*form).to_owned())), "{text}");
        assert_eq!(row.inside.to_value(), Ok(schema::Value::Json(format!("[{form}]"))), "{text}");
    }
    assert_eq!(scenario.rows::<Document>().len(), forms.len());
    for (text, words) in refused {
        if words != "! not JSON" && readable(text) {
            given::<Keep>([kept(0, text)]).then_fails(1, words.trim_start_matches("! "));
        }
    }
}

#[test]
fn an_object_that_serde_json_would_read_as_a_number_fails() {
    let words = "an object whose first key is not `$serde_json::private::Number`, which serde_json reserves";
    given::<Keep>([kept(0, r#"{"$serde_json::private::Number":"1"}"#)]).then_fails(1, words);
}

/// Keeps the data unchanged.
struct PassOn;

impl Upcast for PassOn {
    const EVENT_TYPE: &'static str = "Kept";
    const FROM: u32 = 1;
    const TO: u32 = 2;

    type Old = Value;
    type New = Value;

    fn upcast(event: Event<Value>) -> Result<Upcasted<Value>, Failure> {
        Ok(event.data.into())
    }
}

#[test]
fn an_upcaster_keeps_every_digit() {
    let numbers = "[0.09090909090909091,12345678901234567890.0,20000000000000000000,-1e400,0.10,1e16]";
    upcast::<PassOn>(kept(0, numbers)).becomes([kept(0, numbers).schema_version(2)]);
    let other = numbers.replace("12345678901234567890.0", "12345678901234567891.0");
    let differs = std::panic::catch_unwind(|| {
        upcast::<PassOn>(kept(0, numbers)).becomes([kept(0, &other).schema_version(2)]);
    });
    assert!(differs.is_err(), "the last digit counts");
}
