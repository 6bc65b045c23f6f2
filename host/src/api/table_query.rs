//! A query on a table, as a body.

use std::{collections::BTreeMap, fmt};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, RefOr, Schema,
        schema::{AdditionalProperties, AnyOf, ArrayBuilder, Type},
    },
};

/// What means something in a query string, beside characters that are in none.
const ENCODED: AsciiSet = CONTROLS.add(b' ').add(b'%').add(b'&').add(b'+').add(b'=').add(b'#');

/// The body of `POST /v1/read-models/{projection}/{table}/query`: the parameters that the URL of a query would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableQuery {
    /// The values of each parameter.
    parameters: BTreeMap<String, Vec<String>>,
}

impl TableQuery {
    /// The query string that says the same.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, &ENCODED);
        let all = self.parameters.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let parameters: Vec<_> = all.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        parameters.join("&")
    }
}

impl<'de> Deserialize<'de> for TableQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parameters)
    }
}

struct Parameters;

impl<'de> Visitor<'de> for Parameters {
    type Value = TableQuery;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parameters of a query")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TableQuery, A::Error> {
        let mut parameters = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let values = values(map.next_value()?).ok_or_else(|| {
                A::Error::custom(format!(
                    "the parameter {name:?} must be a text, a whole number, or an array of texts for one that is there several times"
                ))
            })?;
            if parameters.insert(name.clone(), values).is_some() {
                let way = "write its values as an array";
                return Err(A::Error::custom(format!("the parameter {name:?} is there twice; {way}")));
            }
        }
        Ok(TableQuery { parameters })
    }
}

/// The values of a parameter; `None` if they are of other types.
fn values(value: Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(vec![number.to_string()]),
        Value::Array(items) => {
            items.into_iter().map(|item| if let Value::String(text) = item { Some(text) } else { None }).collect()
        }
        _ => None,
    }
}

impl PartialSchema for TableQuery {
    fn schema() -> RefOr<Schema> {
        let text = || Object::builder().schema_type(Type::String);
        let values = AnyOf::builder()
            .item(text())
            .item(Object::builder().schema_type(Type::Integer))
            .item(ArrayBuilder::new().items(text()))
            .build();
        Object::builder()
            .description(Some(
                "The parameters that the URL of a query would have. An array has the values of one that is there several times.",
            ))
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::AnyOf(values)))))
            .into()
    }
}

impl ToSchema for TableQuery {}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(json: &str) -> Result<String, String> {
        let parsed = serde_json::from_str::<TableQuery>(json).map_err(|error| error.to_string());
        parsed.map(|query| query.to_query_string())
    }

    #[test]
    fn parameters_become_a_query_string() {
        for (json, expected) in [
            ("{}", ""),
            (r#"{"select": "id,n", "limit": 5, "id": "in.(1,2)"}"#, "id=in.(1,2)&limit=5&select=id,n"),
            (r#"{"n": ["gt.1", "lt.5"], "or": "(id.eq.1,n.is.null)"}"#, "n=gt.1&n=lt.5&or=(id.eq.1,n.is.null)"),
            (r#"{"a": []}"#, ""),
            (r#"{"a&b": "eq.x=1&y +%20#"}"#, "a%26b=eq.x%3D1%26y%20%2B%2520%23"),
            (r#"{"t": "eq.é\u0000"}"#, "t=eq.%C3%A9%00"),
            (r#"{"offset": -1}"#, "offset=-1"),
        ] {
            assert_eq!(query(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_says_no_query_is_refused() {
        for json in [r#"{"limit": 1.5}"#, r#"{"a": null}"#, r#"{"a": {}}"#, r#"{"a": [1]}"#, r#"{"a": true}"#] {
            assert!(query(json).unwrap_err().contains("must be a text, a whole number, or an array"), "{json}");
        }
        assert!(
            query(r#"{"a": "eq.1", "a": "eq.2"}"#)
                .unwrap_err()
                .contains("is there twice; write its values as an array")
        );
        assert!(query("[]").unwrap_err().contains("the parameters of a query"));
    }
}
