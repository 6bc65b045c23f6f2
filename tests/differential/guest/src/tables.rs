//! Tables with columns of every type, keys of one and several columns, and several indexes.

#![allow(clippy::duplicated_attributes, reason = "clippy takes a column of two indexes for one said twice")]

use gnomon_sdk::{prelude::*, serde_json};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Days, LocalMicros, Micros, TimeMicros};

/// A row with a column of every type, and each once more as one that may be left out.
#[derive(Table, Serialize, Deserialize, Clone, Debug)]
#[table("everything")]
#[index("by_text", columns(text))]
#[index("by_mix", columns(flag, number, maybe_day))]
#[index("by_float", columns(float, maybe_decimal))]
#[index("by_bytes", columns(bytes, maybe_text))]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Everything {
    #[key]
    pub id: i64,
    pub text: String,
    pub flag: bool,
    pub small: i8,
    pub number: i64,
    #[serde(with = "bits")]
    pub float: f64,
    pub decimal: Decimal,
    pub instant: Timestamp,
    pub day: Date,
    pub micros: Micros,
    pub days: Days,
    pub uuid: Uuid,
    pub json: serde_json::Value,
    #[serde(with = "inside")]
    pub typed: Json<Vec<Option<String>>>,
    pub bytes: Vec<u8>,
    pub state: State,
    pub maybe_text: Option<String>,
    pub maybe_flag: Option<bool>,
    pub maybe_number: Option<u32>,
    pub maybe_decimal: Option<Decimal>,
    pub maybe_instant: Option<Timestamp>,
    pub maybe_day: Option<Date>,
    pub maybe_uuid: Option<Uuid>,
    pub maybe_json: Option<serde_json::Value>,
    pub maybe_bytes: Option<Vec<u8>>,
}

/// One of a few.
#[derive(TextEnum, Serialize, Deserialize, Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum State {
    #[text("on")]
    On,
    #[text("off")]
    Off,
    #[text("Ünbekannt")]
    Unknown,
}

/// A row with a key of text and a number.
#[derive(Table, Serialize, Deserialize, Clone, Debug)]
#[table("pairs")]
#[index("by_right", columns(right, note))]
#[index("by_note", columns(note))]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Pair {
    #[key]
    pub left: String,
    #[key]
    pub right: i64,
    pub number: i64,
    pub note: Option<String>,
}

/// A row whose key has a column of each type but text and numbers that a key can have.
#[derive(Table, Serialize, Deserialize, Clone, Debug)]
#[table("key_types")]
#[index("by_day", columns(day, number))]
#[index("by_amount", columns(amount, flag, instant))]
#[allow(missing_docs, reason = "the names say it all")]
pub struct KeyTypes {
    #[key]
    pub instant: Timestamp,
    #[key]
    pub day: Date,
    #[key]
    pub amount: Decimal,
    #[key]
    pub mark: Vec<u8>,
    #[key]
    pub flag: bool,
    #[key]
    pub uuid: Uuid,
    pub state: State,
    #[key]
    pub local: LocalTimestamp,
    #[key]
    pub time: TimeOfDay,
    pub number: i64,
}

/// A row with case-insensitive text, times without a time zone and arrays, and each once more as one that may be left out.
#[derive(Table, Serialize, Deserialize, Clone, Debug)]
#[table("shapes")]
#[index("by_title", columns(title))]
#[index("by_local", columns(local, maybe_time))]
#[index("by_texts", gin(texts, maybe_texts))]
#[index("by_numbers", gin(numbers))]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Shapes {
    #[key]
    pub id: i64,
    pub number: i64,
    pub title: CiText,
    pub local: LocalTimestamp,
    pub time: TimeOfDay,
    pub local_micros: LocalMicros,
    pub time_micros: TimeMicros,
    pub texts: Vec<String>,
    pub numbers: Vec<i64>,
    #[serde(with = "list_of_bits")]
    pub floats: Vec<f64>,
    pub uuids: Vec<Uuid>,
    pub maybe_title: Option<CiText>,
    pub maybe_local: Option<LocalTimestamp>,
    pub maybe_time: Option<TimeOfDay>,
    pub maybe_texts: Option<Vec<String>>,
    pub maybe_numbers: Option<Vec<i64>>,
    pub maybe_uuids: Option<Vec<Uuid>>,
}

/// What a search found, and the tags of the event that told to search.
#[derive(Table, Serialize, Deserialize, Clone, Debug)]
#[table("found")]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Found {
    #[key]
    pub position: i64,
    #[key]
    pub operation: i64,
    pub rows: i64,
    pub sum: i64,
    pub keys: String,
    pub tags: Vec<String>,
}

impl Everything {
    /// The row with a longer text, and a longer list.
    #[must_use]
    pub fn longer(&self, text: usize, list: usize) -> Self {
        let mut row = self.clone();
        row.text = longer(&row.text, text);
        if list > 0 {
            row.typed.push(Some("x".repeat(list)));
        }
        row
    }
}

impl Shapes {
    /// The row with a longer title, and one more text of so many bytes if there are any.
    #[must_use]
    pub fn longer(&self, title: usize, text: usize) -> Self {
        let mut row = self.clone();
        row.title.push_str(&"x".repeat(title));
        if text > 0 {
            row.texts.push("x".repeat(text));
        }
        row
    }
}

impl Pair {
    /// The row with a longer key.
    #[must_use]
    pub fn longer(&self, left: usize) -> Self {
        Self { left: longer(&self.left, left), ..self.clone() }
    }
}

impl KeyTypes {
    /// The row with a longer key.
    #[must_use]
    pub fn longer(&self, mark: usize) -> Self {
        let mut row = self.clone();
        row.mark.resize(row.mark.len() + mark, 7);
        row
    }
}

/// A text with so many bytes more.
#[must_use]
pub fn longer(text: &str, more: usize) -> String {
    format!("{text}{}", "x".repeat(more))
}

/// What a column of JSON holds.
mod inside {
    use super::{Deserialize, Deserializer, Json, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(json: &Json<T>, serializer: S) -> Result<S::Ok, S::Error> {
        json.0.serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Json<T>, D::Error> {
        T::deserialize(deserializer).map(Json)
    }
}

/// A float by its bits, so that JSON brings every one of them.
mod bits {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(float: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        float.to_bits().to_string().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let bits = String::deserialize(deserializer)?;
        bits.parse().map(f64::from_bits).map_err(serde::de::Error::custom)
    }
}

/// Floats by their bits.
mod list_of_bits {
    use super::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(floats: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(floats.iter().map(|float| float.to_bits().to_string()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let float = |bits: String| bits.parse().map(f64::from_bits).map_err(serde::de::Error::custom);
        Vec::<String>::deserialize(deserializer)?.into_iter().map(float).collect()
    }
}
