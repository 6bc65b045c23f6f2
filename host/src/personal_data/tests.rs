//! Tests of the room as a whole, without a log.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    cipher::{KEY_BYTES, SubjectKey},
    keys::FoundKey,
    places::visit_places,
    pointer::pointer_to,
    *,
};

/// Any JSON, with numbers that no machine has.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let number = prop_oneof!["-?[1-9][0-9]{0,40}", "-?[0-9]\\.[0-9]{1,30}", "[1-9][0-9]{0,3}e[1-9][0-9]{0,2}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(|number| serde_json::from_str(&number).unwrap()),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-d~/äß\"\\\\ 0-9]{0,3}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn event<'e>(data: &'e str, metadata: Option<&'e str>) -> ToSeal<'e> {
    ToSeal { id: Uuid::from_u128(9), stream: "customer-7", event_type: "Moved", data, metadata }
}

fn declaration(entries: &[(Option<&str>, &[&str], &str)]) -> Declaration {
    let owned = |(subject, fields, forgotten): &(Option<&str>, &[&str], &str)| {
        (subject.map(str::to_owned), fields.iter().map(|field| (*field).to_owned()).collect(), (*forgotten).to_owned())
    };
    Declaration::new(entries.iter().map(owned).collect()).unwrap()
}

fn key_of(subject: &str) -> Arc<SubjectKey> {
    let byte = subject.bytes().fold(1, u8::wrapping_add);
    Arc::new(SubjectKey::new(Uuid::from_u128(byte.into()), &[byte; KEY_BYTES]).unwrap())
}

/// What the log has of an event.
fn seal(declared: &Declaration, event: &ToSeal<'_>) -> Result<String, Refusal> {
    check_unsealed(event)?;
    let values = personal_values(declared, event)?;
    let keys = values.iter().map(|value| (value.subject.clone(), key_of(&value.subject))).collect();
    Ok(sealed_data(event, &values, &keys).unwrap())
}

/// What readers see of it if these subjects are forgotten.
fn open(declared: &Declaration, event: &ToSeal<'_>, data: &str, forgotten: &[&str]) -> Opened {
    let to_open = ToOpen {
        position: 1,
        id: event.id,
        stream: event.stream,
        event_type: event.event_type,
        data,
        metadata: event.metadata,
    };
    let values = sealed_values(&to_open).unwrap();
    let all = ["7", "customer-7", "1.50", "x"];
    let found = all.map(|subject| {
        let key = key_of(subject);
        (key.id(), if forgotten.contains(&subject) { FoundKey::Destroyed } else { FoundKey::Key(key) })
    });
    opened_event(&to_open, values, &found.into(), Some(declared)).unwrap()
}

/// The oracle: fields replaced in the values that a parser gives.
fn forget(value: &mut Value, fields: &[String], replacement: &Value) {
    for field in fields {
        if let Some(found) = value.pointer_mut(field).filter(|found| !found.is_null()) {
            *found = replacement.clone();
        }
    }
}

proptest! {
    /// Before a subject is forgotten, readers get what was appended, byte for byte; afterwards, the same with replacements. The log has nothing of the fields.
    #[test]
    fn readers_get_what_was_appended_until_it_is_forgotten(
        value in json(), replacement in json(), places in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let data = serde_json::to_string_pretty(&json!({"id": "x", "all": value})).unwrap();
        let mut all = Vec::new();
        visit_places(&data, |path, range| all.push((pointer_to(path), data[range].to_owned()))).unwrap();
        let all: Vec<_> = all.into_iter().filter(|(pointer, _)| pointer.starts_with("/all")).collect();
        // Those that are not within each other.
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        for place in places {
            let (pointer, text) = place.get(&all);
            let holds = |one: &str, other: &str| other == one || other.starts_with(&format!("{one}/"));
            if !fields.keys().any(|known| holds(known, pointer) || holds(pointer, known)) {
                fields.insert(pointer.clone(), text.clone());
            }
        }
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        let replacement_text = replacement.to_string();
        let declared = declaration(&[(Some("/id"), &names, &replacement_text)]);
        let event = event(&data, Some("{\"a\":1}"));
        let sealed = seal(&declared, &event).unwrap();
        prop_assert_eq!(&seal(&declared, &event).unwrap(), &sealed, "a repeat is the same");

        let before = open(&declared, &event, &sealed, &[]);
        prop_assert_eq!(&before.data, &data);
        prop_assert_eq!(before.metadata, None);

        let after = open(&declared, &event, &sealed, &["x"]);
        let mut expected: Value = serde_json::from_str(&data).unwrap();
        let names: Vec<String> = fields.keys().cloned().collect();
        forget(&mut expected, &names, &replacement);
        prop_assert_eq!(serde_json::from_str::<Value>(&after.data).unwrap(), expected);
        let marked: Option<Value> = after.metadata.map(|metadata| serde_json::from_str(&metadata).unwrap());
        let mut marks: Vec<String> =
            marked.map(|marked| serde_json::from_value(marked["forgotten"].clone()).unwrap()).unwrap_or_default();
        marks.sort_unstable();
        let personal: Vec<String> = fields.iter().filter(|(_, text)| *text != "null").map(|(name, _)| name.clone()).collect();
        prop_assert_eq!(marks, personal);

        for text in fields.values().filter(|text| text.len() > 8) {
            let (in_log, in_data) = (sealed.matches(text.as_str()).count(), data.matches(text.as_str()).count());
            prop_assert!(in_log < in_data, "{} is in the log", text);
        }
    }
}

#[test]
fn each_of_several_members_of_one_name_is_encrypted() {
    let declared = declaration(&[(None, &["/name"], "\"forgotten\"")]);
    let data = r#"{"name":"Ada","n":1.50,"name":"Grace","n":1e2}"#;
    let event = event(data, Some(r#"{"subjects":["x"]}"#));
    let sealed = seal(&declared, &event).unwrap();
    assert!(!sealed.contains("Ada") && !sealed.contains("Grace") && sealed.ends_with(r#","n":1e2}"#));
    assert_eq!(open(&declared, &event, &sealed, &[]).data, data);
    let after = open(&declared, &event, &sealed, &["x"]);
    assert_eq!(after.data, r#"{"name":"forgotten","n":1.50,"name":"forgotten","n":1e2}"#);
    assert_eq!(after.metadata.as_deref(), Some(r#"{"subjects":["x"],"forgotten":["/name","/name"]}"#));
}

#[test]
fn fields_of_several_subjects_are_forgotten_by_themselves() {
    let declared = declaration(&[(Some("/from"), &["/sender"], "null"), (Some("/to"), &["/receiver"], "\"?\"")]);
    let data = r#"{"from":7,"to":"customer-7","sender":{"name":"Ada"},"receiver":["Grace"],"amount":1.00}"#;
    let event = event(data, None);
    let sealed = seal(&declared, &event).unwrap();
    let read = |forgotten: &[&str]| open(&declared, &event, &sealed, forgotten).data;
    assert_eq!(read(&[]), data);
    assert_eq!(read(&["7"]), data.replace(r#"{"name":"Ada"}"#, "null"));
    assert_eq!(read(&["customer-7"]), data.replace(r#"["Grace"]"#, "\"?\""));
}

#[test]
fn what_does_not_say_whose_it_is_is_refused() {
    let in_data = declaration(&[(Some("/id"), &["/name"], "null")]);
    let in_metadata = declaration(&[(None, &["/name"], "null")]);
    let refusal = |declared, data, metadata| seal(declared, &event(data, metadata)).unwrap_err().to_string();
    for (data, reason) in [
        (r#"{"name":"Ada"}"#, "there is nothing"),
        (r#"{"name":"Ada","id":null}"#, "there is neither a text nor a number"),
        (r#"{"name":"Ada","id":{"a":1}}"#, "there is neither a text nor a number"),
        (r#"{"name":"Ada","id":""}"#, "the text is empty"),
        (r#"{"name":"Ada","id":"a","id":"b"}"#, "it is there more than once"),
        (r#"{"name":"Ada","id":"\u0000"}"#, "the text has a zero character"),
    ] {
        let expected = format!("its field `/name` is personal, and `/id` does not say whose it is: {reason}");
        assert_eq!(refusal(&in_data, data, None), expected);
    }
    let long = format!(r#"{{"name":"Ada","id":"{}"}}"#, "x".repeat(MAX_SUBJECT_BYTES + 1));
    assert!(refusal(&in_data, &long, None).ends_with("it has 513 bytes, and may have 512 (max_subject_bytes)"));
    for metadata in [
        None,
        Some("{}"),
        Some(r#"{"subjects":"x"}"#),
        Some(r#"{"subjects":[]}"#),
        Some(r#"{"subjects":["x","y"]}"#),
        Some(r#"{"subjects":[7]}"#),
        Some(r#"{"subjects":[""]}"#),
    ] {
        let found = refusal(&in_metadata, r#"{"name":"Ada"}"#, metadata);
        assert!(found.contains("`subjects` of its metadata does not say whose it is"), "{metadata:?}: {found}");
    }
    let with_id = r#"{"name":"Ada","id":"x"}"#;
    assert!(refusal(&in_data, with_id, Some("[1]")).contains("its metadata is not an object"));
    assert!(refusal(&in_data, with_id, Some(r#"{"forgotten":1}"#)).contains("its metadata has a member `forgotten`"));
    // Without a personal value, nobody has to say anything.
    for data in ["{}", "7", r#"{"name":null}"#, r#"{"names":["Ada"]}"#] {
        assert_eq!(seal(&in_data, &event(data, Some("[1]"))).as_deref(), Ok(data));
    }
}

#[test]
fn a_text_that_looks_encrypted_is_refused_where_it_would_be_taken_for_one() {
    let declared = declaration(&[(Some("/id"), &["/name"], "null")]);
    let refused = seal(&declared, &event(r#"{"a":[{"b/":"gnomon:encrypted:1:"}]}"#, None));
    assert_eq!(refused, Err(Refusal::LooksSealed("/a/0/b~1".to_owned())));
    for data in [
        r#"{"a":"about gnomon:encrypted:1:"}"#,
        r#"{"gnomon:encrypted:1:":1}"#,
        r#"{"a":"\"gnomon:encrypted:1:"}"#,
        r#"{"a":"gnomon:encrypted:2:"}"#,
    ] {
        let event = event(data, None);
        let sealed = seal(&declared, &event).unwrap();
        assert_eq!(sealed, data);
        assert_eq!(open(&declared, &event, &sealed, &[]).data, data);
    }
}

#[test]
fn a_key_that_is_not_known_is_an_error_and_not_an_absence() {
    let declared = declaration(&[(Some("/id"), &["/name"], "null")]);
    let event = event(r#"{"name":"Ada","id":"x"}"#, None);
    let data = seal(&declared, &event).unwrap();
    let to_open =
        |stream, data| ToOpen { position: 5, id: event.id, stream, event_type: "Moved", data, metadata: None };
    let opened = |to_open: &ToOpen<'_>, keys: HashMap<Uuid, FoundKey>| {
        opened_event(to_open, sealed_values(to_open).unwrap(), &keys, Some(&declared))
    };
    let here = to_open("customer-7", &data);
    let error = opened(&here, HashMap::new()).unwrap_err();
    assert!(matches!(&error, PersonalDataError::UnknownKey { pointer, position: 5, .. } if pointer == "/name"));
    // Whoever reads the log tries it again.
    let error = sqlx::Error::from(error);
    assert!(crate::postgres::is_transient(&error) && PersonalDataError::within(&error).is_some());
    // Another key under its id, another stream, another place.
    let key = key_of("x");
    let wrong = Arc::new(SubjectKey::new(key.id(), &[0; KEY_BYTES]).unwrap());
    let moved = data.replace("name", "email");
    for (to_open, key) in [
        (here, Arc::clone(&wrong)),
        (to_open("customer-8", &data), Arc::clone(&key)),
        (to_open("customer-7", &moved), Arc::clone(&key)),
    ] {
        let error = opened(&to_open, [(key.id(), FoundKey::Key(key))].into()).unwrap_err();
        assert!(matches!(error, PersonalDataError::Damaged { position: 5, .. }), "{error}");
    }
}
