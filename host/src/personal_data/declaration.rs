//! Which fields of a type of events are personal, and whose.

use std::{iter, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::pointer::{Pointer, PointerError};

/// Entries of a declaration, at most: whose the fields are.
pub const MAX_SUBJECTS_OF_TYPE: usize = 8;
/// Fields of a declaration, at most, all entries together.
pub const MAX_PERSONAL_FIELDS: usize = 64;
/// Bytes of what readers see of a field that is forgotten, at most.
pub const MAX_REPLACEMENT_BYTES: usize = 4096;

/// Which fields of the data of a type of events are personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration(Arc<[PersonalFields]>);

/// Fields that are of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalFields {
    /// Where the data says whose they are; `None` if `metadata.subjects` does.
    pub subject: Option<Pointer>,
    /// The fields.
    pub fields: Vec<Pointer>,
    /// JSON: what readers see of a field when its subject is forgotten.
    pub forgotten: String,
}

/// Why a declaration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// It has no fields.
    #[error("{0}: there has to be at least one; to declare nothing any more, remove the declaration")]
    Empty(String),
    /// A pointer is not one.
    #[error("{0}: {1}")]
    Pointer(String, PointerError),
    /// A field is within another one, or is that twice.
    #[error(
        "`{0}` and `{1}` are at the same place, or one is within the other: each value is encrypted once; leave one of them out"
    )]
    Overlap(String, String),
    /// A field has what says whose it is.
    #[error(
        "the field `{field}` has the subject `{subject}` in it, or is within it: whose the fields are has to be readable without a key; leave the \
         field out, and let the subject be an id that tells nobody who it is"
    )]
    HidesSubject {
        /// The field.
        field: String,
        /// Where the subject is.
        subject: String,
    },
    /// There is too much of something.
    #[error("{what}: {found}; there may be {max} ({limit})")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The name of the limit.
        limit: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        max: usize,
    },
}

/// A declaration as it is stored. What is stored was checked.
#[derive(Deserialize, Serialize)]
struct Stored {
    subject: Option<String>,
    fields: Vec<String>,
    forgotten: Box<RawValue>,
}

impl Declaration {
    /// Checks a declaration. Each entry is whose the fields are, the fields, and what is seen of them when the subject is forgotten, as JSON.
    ///
    /// # Errors
    /// It is refused: see [`DeclarationError`].
    pub fn new(entries: Vec<(Option<String>, Vec<String>, String)>) -> Result<Self, DeclarationError> {
        let too_many = |what, limit, found, max| DeclarationError::TooMany { what, limit, found, max };
        if entries.is_empty() {
            return Err(DeclarationError::Empty("subjects".to_owned()));
        }
        if entries.len() > MAX_SUBJECTS_OF_TYPE {
            return Err(too_many("subjects", "max_subjects_of_type", entries.len(), MAX_SUBJECTS_OF_TYPE));
        }
        let count = entries.iter().map(|(_, fields, _)| fields.len()).sum();
        if count > MAX_PERSONAL_FIELDS {
            return Err(too_many("fields", "max_personal_fields", count, MAX_PERSONAL_FIELDS));
        }
        let mut checked = Vec::new();
        for (index, (subject, fields, forgotten)) in entries.into_iter().enumerate() {
            let of = |name: &str| format!("subjects[{index}].{name}");
            let pointer = |name: &str, text: &str| {
                Pointer::parse(text).map_err(|error| DeclarationError::Pointer(of(name), error))
            };
            if fields.is_empty() {
                return Err(DeclarationError::Empty(of("fields")));
            }
            if forgotten.len() > MAX_REPLACEMENT_BYTES {
                let found = forgotten.len();
                return Err(too_many("bytes of `forgotten`", "max_replacement_bytes", found, MAX_REPLACEMENT_BYTES));
            }
            let subject = subject.map(|text| pointer("subject", &text)).transpose()?;
            let fields = fields.iter().map(|text| pointer("fields", text)).collect::<Result<Vec<_>, _>>()?;
            checked.push(PersonalFields { subject, fields, forgotten });
        }
        let declaration = Self(checked.into());
        declaration.check_places()?;
        Ok(declaration)
    }

    /// Each value is encrypted once, and no subject is.
    fn check_places(&self) -> Result<(), DeclarationError> {
        let fields: Vec<&Pointer> = self.fields().map(|(_, field)| field).collect();
        for (index, field) in fields.iter().enumerate() {
            if let Some(other) = fields[..index].iter().find(|other| other.holds(field) || field.holds(other)) {
                return Err(DeclarationError::Overlap(other.to_string(), field.to_string()));
            }
            let subjects = self.0.iter().filter_map(|entry| entry.subject.as_ref());
            let mut hidden = subjects.filter(|subject| field.holds(subject) || subject.holds(field));
            if let Some(subject) = hidden.next() {
                let (field, subject) = (field.to_string(), subject.to_string());
                return Err(DeclarationError::HidesSubject { field, subject });
            }
        }
        Ok(())
    }

    /// Its entries.
    #[must_use]
    pub fn entries(&self) -> &[PersonalFields] {
        &self.0
    }

    /// All fields, each with the entry that has it.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&PersonalFields, &Pointer)> {
        self.0.iter().flat_map(|entry| iter::repeat(entry).zip(&entry.fields))
    }

    /// As it is stored.
    pub(super) fn to_json(&self) -> Result<String, serde_json::Error> {
        let stored = |entry: &PersonalFields| {
            Ok(Stored {
                subject: entry.subject.as_ref().map(ToString::to_string),
                fields: entry.fields.iter().map(ToString::to_string).collect(),
                forgotten: RawValue::from_string(entry.forgotten.clone())?,
            })
        };
        serde_json::to_string(&self.0.iter().map(stored).collect::<Result<Vec<_>, serde_json::Error>>()?)
    }

    /// Reads what is stored.
    pub(super) fn of_json(json: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let stored: Vec<Stored> = serde_json::from_str(json)?;
        let entry = |Stored { subject, fields, forgotten }| (subject, fields, forgotten.get().to_owned());
        Ok(Self::new(stored.into_iter().map(entry).collect())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entry<'e> = (Option<&'e str>, &'e [&'e str], &'e str);

    fn declare(entries: &[Entry<'_>]) -> Result<Declaration, DeclarationError> {
        let owned = |(subject, fields, forgotten): &Entry<'_>| {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            (subject.map(str::to_owned), fields, (*forgotten).to_owned())
        };
        Declaration::new(entries.iter().map(owned).collect())
    }

    #[test]
    fn a_declaration_is_stored_as_it_is() {
        let declaration = declare(&[
            (Some("/customer_id"), &["/name", "/address/street"], "null"),
            (None, &["/note"], "{\"n\":1.50000000000000000001}"),
        ]);
        let declaration = declaration.unwrap();
        assert_eq!(Declaration::of_json(&declaration.to_json().unwrap()).unwrap(), declaration);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let many: Vec<String> = (0..=MAX_PERSONAL_FIELDS).map(|field| format!("/{field}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = format!("\"{}\"", "x".repeat(MAX_REPLACEMENT_BYTES));
        let entries: [(&[Entry<'_>], &str); 9] = [
            (&[], "subjects: there has to be at least one"),
            (&[(None, &[], "null")], "subjects[0].fields: there has to be at least one"),
            (&[(None, &["name"], "null")], "subjects[0].fields: `name` is not a JSON Pointer"),
            (&[(Some("id"), &["/name"], "null")], "subjects[0].subject: `id` is not a JSON Pointer"),
            (&[(None, &["/a", "/a/b"], "null")], "`/a` and `/a/b` are at the same place"),
            (&[(None, &["/a"], "null"), (Some("/i"), &["/a"], "null")], "`/a` and `/a` are at the same place"),
            (&[(Some("/a/id"), &["/a"], "null")], "the field `/a` has the subject `/a/id` in it"),
            (&[(None, &many, "null")], "fields: 65; there may be 64 (max_personal_fields)"),
            (&[(None, &["/a"], &long)], "bytes of `forgotten`: 4098; there may be 4096 (max_replacement_bytes)"),
        ];
        for (entries, message) in entries {
            let error = declare(entries).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let entries = vec![(None, ["/a"].as_slice(), "null"); MAX_SUBJECTS_OF_TYPE + 1];
        assert!(declare(&entries).unwrap_err().to_string().contains("(max_subjects_of_type)"));
    }
}
