//! What is declared as personal data, and who is forgotten.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::objects::objects;

/// The body of `PUT /v1/personal-data/{event_type}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalFieldsOfType {
    /// Whose the fields are, and which.
    #[serde(deserialize_with = "objects")]
    pub subjects: Vec<PersonalFields>,
}

/// Fields of the data that are of one subject.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalFields {
    /// A JSON Pointer to the text or the number in the data that says whose they are; if it is left out or null, the one text of `subjects` in the metadata does.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub subject: Option<String>,
    /// JSON Pointers to the fields. Each may be any value, or be missing.
    pub fields: Vec<String>,
    /// What readers see of a field when its subject is forgotten; if it is left out, null.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub forgotten: Option<Box<RawValue>>,
}

/// A type of events with personal fields.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonalDataType {
    /// The type.
    pub event_type: String,
    /// Whose the fields are, and which.
    pub subjects: Vec<PersonalFields>,
    /// When they were declared.
    #[schema(value_type = String, format = DateTime)]
    pub declared_at: Instant,
    /// Every event of the type behind this position is encrypted so. Null while there may be hosts that do not know of it yet: declare it once more.
    #[schema(required)]
    pub since: Option<u64>,
}

/// The answer of `GET /v1/personal-data`, by type.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PersonalDataTypes {
    /// The types of events with personal fields.
    pub types: Vec<PersonalDataType>,
}

/// The body of `POST /v1/forgettings`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetSubject {
    /// The subject, as events name it.
    #[schema(min_length = 1, max_length = 512)]
    pub subject: String,
}

/// That a subject was forgotten, and how far that is. It does not say who it was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Forgetting {
    /// Its number; null if the subject had no key, so that there is nothing to forget.
    #[schema(required)]
    pub forgetting: Option<i64>,
    /// How many keys were destroyed.
    pub keys: usize,
    /// When no host read with the keys any more: some seconds after they were destroyed.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub effective_at: Option<Instant>,
    /// When the last rows were gone that were made with them.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub finished_at: Option<Instant>,
    /// The projections that may have such rows still. Their rows are made again.
    pub projections: Vec<String>,
}
