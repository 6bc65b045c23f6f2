//! JSON columns, in the canonical form in which the host keeps them.

use std::ops::{Deref, DerefMut};

use gnomon_values::json::CanonicalJson;
use serde::{Serialize, de::DeserializeOwned};

use super::{Column, ElementsColumn, NotNull, mismatch};
use crate::{
    Failure, reading,
    schema::{ColumnType, Value},
};

/// A column of JSON that holds any type that serde can serialize and deserialize.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Table)]
/// #[table("baskets")]
/// struct Basket {
///     #[key]
///     basket: String,
///     lines: Json<Vec<Line>>,
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Line { article: String, pieces: u32 }
///
/// # fn add(basket: &mut Basket) {
/// basket.lines.push(Line { article: "gnomon".into(), pieces: 1 });
/// # }
/// ```
///
/// After each event, a changed row is written to JSON and read back: a field that serde skips loses its value, as it would after
/// a restart. That costs about as much as reading the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(
    /// What the column holds.
    pub T,
);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Serialize + DeserializeOwned> Column for Json<T> {
    const TYPE: ColumnType = ColumnType::Json;

    fn settle(&mut self) -> Result<(), Failure> {
        self.settle_sized().map(drop)
    }

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        let text = canonical(&self.0)?;
        self.0 = parse(&text)?;
        Ok(text.len())
    }

    fn to_value(&self) -> Result<Value, Failure> {
        canonical(&self.0).map(Value::Json)
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Json(text) => parse(&text).map(Self),
            other => Err(mismatch(Self::TYPE, &other)),
        }
    }
}

impl<T: Serialize + DeserializeOwned> NotNull for Json<T> {}

impl<T: Serialize + DeserializeOwned> ElementsColumn for Json<T> {}

impl Column for serde_json::Value {
    const TYPE: ColumnType = ColumnType::Json;

    fn settle(&mut self) -> Result<(), Failure> {
        self.settle_sized().map(drop)
    }

    fn settle_sized(&mut self) -> Result<usize, Failure> {
        let text = canonical(self)?;
        *self = parse(&text)?;
        Ok(text.len())
    }

    fn to_value(&self) -> Result<Value, Failure> {
        canonical(self).map(Value::Json)
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        Json::from_value(value).map(|json| json.0)
    }
}

impl NotNull for serde_json::Value {}

impl ElementsColumn for serde_json::Value {}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    reading::from_str(text)
        .map_err(|failure| Failure::new(format!("the value was written as JSON and cannot be read back: {failure}")))
}

fn canonical<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::new(format!("the value cannot be written as JSON: {error}")))?;
    Ok(CanonicalJson::parse(&text)?.into())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_documents_are_one_text() {
        let document = json!({ "b": 1, "a": [1.0, -0.0, null, u64::MAX, { "d": "é", "c": true }] });
        let text = r#"{"a":[1.0,0.0,null,18446744073709551615,{"c":true,"d":"é"}],"b":1}"#;
        assert_eq!(document.to_value(), Ok(Value::Json(text.into())));
        let map: HashMap<&str, i32> = (0..20).map(|i| (["x", "y", "z"][i as usize % 3], i)).collect();
        assert_eq!(canonical(&map), Ok(r#"{"x":18,"y":19,"z":17}"#.into()));
    }

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Forgetful {
        kept: i64,
        #[serde(skip)]
        lost: i64,
    }

    #[test]
    fn skipped_fields_lose_their_value_when_settled() {
        let mut json = Json(Forgetful { kept: 1, lost: 2 });
        json.settle().unwrap();
        assert_eq!(json.0, Forgetful { kept: 1, lost: 0 });
    }

    #[test]
    fn values_that_json_or_postgres_cannot_hold_are_refused() {
        let by_pair = Json(BTreeMap::from([((1, 2), 3)]));
        assert!(by_pair.to_value().is_err_and(|failure| failure.to_string().contains("cannot be written as JSON")));
        let mut not_a_number = Json(f64::NAN);
        assert!(not_a_number.settle().is_err_and(|failure| failure.to_string().contains("cannot be read back")));
        for nul in [json!("\0"), json!({ "\0": 1 }), json!(["\0"])] {
            assert!(nul.clone().settle().is_err_and(|failure| failure.to_string().contains("NUL")), "{nul}");
        }
    }
}
