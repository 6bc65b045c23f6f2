//! Decrypting the personal fields of an event, on its way out of the log.

use std::{collections::HashMap, ops::Range};

use uuid::Uuid;

use super::{
    cipher::Place,
    declaration::Declaration,
    error::PersonalDataError,
    keys::FoundKey,
    places::{replaced, visit_places},
    pointer::pointer_to,
    sealed_text::SealedText,
};

/// An event of the log.
#[derive(Clone, Copy, Debug)]
pub struct ToOpen<'e> {
    /// Its position.
    pub position: u64,
    /// Its id.
    pub id: Uuid,
    /// Its stream.
    pub stream: &'e str,
    /// Its type.
    pub event_type: &'e str,
    /// JSON, as the log has it.
    pub data: &'e str,
    /// JSON, as the log has it.
    pub metadata: Option<&'e str>,
}

/// An event as readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// JSON: its personal fields can be read, or are replaced if their subject is forgotten.
    pub data: String,
    /// JSON, with the mark of what is forgotten; `None` if it is as the log has it.
    pub metadata: Option<String>,
}

/// A personal value as the log has it.
#[derive(Clone, Debug)]
pub(super) struct SealedValue {
    range: Range<usize>,
    pointer: String,
    pub(super) sealed: SealedText,
}

/// The encrypted values of an event.
pub(super) fn sealed_values(event: &ToOpen<'_>) -> Result<Vec<SealedValue>, PersonalDataError> {
    let mut values = Vec::new();
    visit_places(event.data, |path, range| {
        if let Some(sealed) = event.data.get(range.clone()).and_then(SealedText::parse) {
            values.push(SealedValue { range, pointer: pointer_to(path), sealed });
        }
    })
    .map_err(|_| PersonalDataError::NotJson(event.position))?;
    Ok(values)
}

/// The event with these values decrypted. Of those whose key is destroyed it has what was declared last, or null.
pub(super) fn opened_event(
    event: &ToOpen<'_>,
    values: Vec<SealedValue>,
    keys: &HashMap<Uuid, FoundKey>,
    declared: Option<&Declaration>,
) -> Result<Opened, PersonalDataError> {
    let ToOpen { position, id, stream, data, metadata, .. } = *event;
    let (mut replacements, mut forgotten) = (Vec::new(), Vec::new());
    for SealedValue { range, pointer, sealed: SealedText { key, bytes } } in values {
        let value = match keys.get(&key) {
            Some(FoundKey::Key(found)) => {
                let opened = found.open(Place { event: id, stream, pointer: &pointer }, &bytes);
                opened.map_err(|_| PersonalDataError::Damaged { key, pointer: pointer.clone(), position })?
            }
            Some(FoundKey::Destroyed) => {
                let value = replacement(declared, &pointer).to_owned();
                forgotten.push(pointer);
                value
            }
            None => return Err(PersonalDataError::UnknownKey { key, pointer, position }),
        };
        replacements.push((range, value));
    }
    let metadata = (!forgotten.is_empty()).then(|| marked(metadata, &forgotten));
    Ok(Opened { data: replaced(data, replacements), metadata })
}

/// What readers see of a field whose subject is forgotten.
fn replacement<'d>(declared: Option<&'d Declaration>, pointer: &str) -> &'d str {
    let mut fields = declared.into_iter().flat_map(Declaration::fields);
    fields.find(|(_, field)| field.as_str() == pointer).map_or("null", |(entry, _)| &entry.forgotten)
}

/// Metadata with the mark of what is forgotten. The append has seen to it that it is an object, without such a member.
fn marked(metadata: Option<&str>, forgotten: &[String]) -> String {
    let pointers: Vec<_> = forgotten.iter().map(|pointer| serde_json::Value::from(pointer.as_str())).collect();
    let mark = format!("\"forgotten\":{}", serde_json::Value::from(pointers));
    let rest = metadata.map(str::trim_end).and_then(|metadata| metadata.strip_suffix('}')).unwrap_or("{");
    let comma = if rest.trim_end().ends_with('{') { "" } else { "," };
    format!("{rest}{comma}{mark}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_marked_in_the_metadata() {
        let forgotten = ["/name".to_owned(), "/a~1b\"".to_owned()];
        let mark = r#""forgotten":["/name","/a~1b\""]"#;
        for (metadata, expected) in [
            (None, format!("{{{mark}}}")),
            (Some("{ }"), format!("{{ {mark}}}")),
            (Some("{\"a\": 1.50} "), format!("{{\"a\": 1.50,{mark}}}")),
        ] {
            let marked = marked(metadata, &forgotten);
            assert_eq!(marked, expected);
            assert!(serde_json::from_str::<serde_json::Value>(&marked).is_ok());
        }
    }
}
