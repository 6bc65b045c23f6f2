//! Encrypting the personal fields of an event, on its way into the log.

use std::{borrow::Cow, collections::HashMap, ops::Range, sync::Arc};

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    cipher::{Damaged, Place, SubjectKey},
    declaration::{Declaration, PersonalFields},
    error::{MAX_SUBJECT_BYTES, Refusal},
    places::{decoded, replaced, visit_places},
    pointer::{Pointer, pointer_to},
    sealed_text::{SEALED_PREFIX, SealedText},
};

/// An event that is to be appended.
#[derive(Clone, Copy, Debug)]
pub struct ToSeal<'e> {
    /// Its id.
    pub id: Uuid,
    /// Its stream.
    pub stream: &'e str,
    /// Its type.
    pub event_type: &'e str,
    /// JSON.
    pub data: &'e str,
    /// JSON.
    pub metadata: Option<&'e str>,
}

/// A personal value of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PersonalValue {
    range: Range<usize>,
    pointer: String,
    pub(super) subject: String,
}

/// The personal values of an event of which this is declared, and whose they are.
pub(super) fn personal_values(declaration: &Declaration, event: &ToSeal<'_>) -> Result<Vec<PersonalValue>, Refusal> {
    let mut fields: Vec<(&PersonalFields, &Pointer, Range<usize>, String)> = Vec::new();
    let mut subjects: HashMap<&str, Vec<Range<usize>>> = HashMap::new();
    // The log has checked that it is JSON.
    let _ = visit_places(event.data, |path, range| {
        // That there is nothing tells nothing.
        if event.data.get(range.clone()) != Some("null")
            && let Some((entry, field)) = declaration.fields().find(|(_, field)| field.leads_to(path))
        {
            fields.push((entry, field, range.clone(), pointer_to(path)));
        }
        let of_subjects = declaration.entries().iter().filter_map(|entry| entry.subject.as_ref());
        if let Some(subject) = of_subjects.into_iter().find(|subject| subject.leads_to(path)) {
            subjects.entry(subject.as_str()).or_default().push(range);
        }
    });
    let Some((_, first, ..)) = fields.first() else { return Ok(Vec::new()) };
    check_metadata(first, event.metadata)?;
    let value = |(entry, field, range, pointer): (&PersonalFields, &Pointer, Range<usize>, String)| {
        let subject = match &entry.subject {
            Some(subject) => {
                let found = subjects.get(subject.as_str()).map_or(&[][..], Vec::as_slice);
                subject_in_data(event.data, found).map_err(|reason| Refusal::NoSubject {
                    field: field.to_string(),
                    subject: subject.to_string(),
                    reason,
                })?
            }
            None => subject_in_metadata(event.metadata)
                .ok_or_else(|| Refusal::NoSubjectInMetadata { field: field.to_string() })?,
        };
        Ok(PersonalValue { range, pointer, subject })
    };
    fields.into_iter().map(value).collect()
}

/// The subject that stands at these places, of which there has to be one: a text, or a number as it is written.
fn subject_in_data(data: &str, places: &[Range<usize>]) -> Result<String, String> {
    let [place] = places else {
        let reason = if places.is_empty() { "there is nothing" } else { "it is there more than once" };
        return Err(reason.to_owned());
    };
    let json = data.get(place.clone()).unwrap_or_default();
    let subject = match json.as_bytes().first() {
        Some(b'"') => decoded(json),
        Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(json)),
        _ => None,
    };
    let subject = subject.ok_or("there is neither a text nor a number")?;
    check_subject(&subject)?;
    Ok(subject.into_owned())
}

/// Checks the name of a subject.
pub(super) fn check_subject(subject: &str) -> Result<(), String> {
    match subject.len() {
        0 => Err("the text is empty".to_owned()),
        1..=MAX_SUBJECT_BYTES if subject.contains('\0') => Err("the text has a zero character".to_owned()),
        1..=MAX_SUBJECT_BYTES => Ok(()),
        bytes => Err(format!("it has {bytes} bytes, and may have {MAX_SUBJECT_BYTES} (max_subject_bytes)")),
    }
}

fn subject_in_metadata(metadata: Option<&str>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        subjects: Vec<String>,
    }
    let Metadata { subjects } = serde_json::from_str(metadata?).ok()?;
    let [subject] = <[String; 1]>::try_from(subjects).ok()?;
    check_subject(&subject).is_ok().then_some(subject)
}

/// What is forgotten is marked in the metadata, where there is room for that in an object.
fn check_metadata(field: &Pointer, metadata: Option<&str>) -> Result<(), Refusal> {
    let refuse = |reason| Err(Refusal::Metadata { field: field.to_string(), reason });
    let Some(metadata) = metadata else { return Ok(()) };
    match serde_json::from_str::<HashMap<Cow<'_, str>, &RawValue>>(metadata) {
        Ok(members) if members.contains_key("forgotten") => refuse("has a member `forgotten`"),
        Ok(_) => Ok(()),
        Err(_) => refuse("is not an object"),
    }
}

/// Checks that no text of an event looks like one that the host writes, or it would be taken for one when it is read.
pub(super) fn check_unsealed(event: &ToSeal<'_>) -> Result<(), Refusal> {
    // An escape in it, and nobody takes it for one.
    if !event.data.contains(SEALED_PREFIX) {
        return Ok(());
    }
    let mut found = None;
    let _ = visit_places(event.data, |path, range| {
        let json = event.data.get(range).unwrap_or_default();
        if json.strip_prefix('"').is_some_and(|text| text.starts_with(SEALED_PREFIX)) {
            found = Some(pointer_to(path));
        }
    });
    found.map_or(Ok(()), |pointer| Err(Refusal::LooksSealed(pointer)))
}

/// The data of an event with its personal values encrypted, each with the key of its subject. All else is as it was, byte for byte.
pub(super) fn sealed_data(
    event: &ToSeal<'_>,
    values: &[PersonalValue],
    keys: &HashMap<String, Arc<SubjectKey>>,
) -> Result<String, Damaged> {
    let seal = |PersonalValue { range, pointer, subject }: &PersonalValue| {
        let key = keys.get(subject).ok_or(Damaged)?;
        let value = event.data.get(range.clone()).ok_or(Damaged)?;
        let bytes = key.seal(Place { event: event.id, stream: event.stream, pointer }, value)?;
        Ok((range.clone(), SealedText { key: key.id(), bytes }.to_json()))
    };
    Ok(replaced(event.data, values.iter().map(seal).collect::<Result<_, Damaged>>()?))
}
