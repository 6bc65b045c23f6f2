//! Whether two JSON texts say the same.

use gnomon_values::json::CanonicalJson;
use serde_json::Value;

/// The member of metadata that says the trace of the request that brought the event.
const TRACEPARENT: &str = "traceparent";

/// Whether two JSON texts have the same value; a client may write its fields in another order when it tries again, and its
/// floats with more zeros.
pub(super) fn same_json(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) if one != other => {
            // A text that has no canonical form has a number with very many digits, and equals only itself.
            matches!((CanonicalJson::parse(one), CanonicalJson::parse(other)), (Ok(one), Ok(other)) if one == other)
        }
        (one, other) => one.is_some() == other.is_some(),
    }
}

/// Whether metadata is the same, but for its trace. The host keeps the `traceparent` of an append in the metadata of its events, and a client
/// that tries again does so under another span: what it sends is the same all the same.
pub(super) fn same_metadata(one: Option<&str>, other: Option<&str>) -> bool {
    if same_json(one, other) {
        return true;
    }
    let is_traced = |text: Option<&str>| text.is_some_and(|text| text.contains(TRACEPARENT));
    if !is_traced(one) && !is_traced(other) {
        return false;
    }
    let (one, other) = (Untraced::of(one), Untraced::of(other));
    same_json(one.rest.as_deref(), other.rest.as_deref()) || one.may_be_none() && other.may_be_none()
}

/// Metadata without its trace.
struct Untraced {
    rest: Option<String>,
    was_traced: bool,
}

impl Untraced {
    fn of(metadata: Option<&str>) -> Self {
        // The log checks that it is JSON.
        let mut rest: Option<Value> = metadata.and_then(|text| serde_json::from_str(text).ok());
        let object = rest.as_mut().and_then(Value::as_object_mut);
        let was_traced = object.is_some_and(|object| object.remove(TRACEPARENT).is_some());
        Self { rest: rest.map(|rest| rest.to_string()), was_traced }
    }

    /// Whether the writer may have given none: all that is there is the trace.
    fn may_be_none(&self) -> bool {
        match self.rest.as_deref() {
            None => true,
            Some(rest) => self.was_traced && rest == "{}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trace_makes_no_difference() {
        let traced = r#"{"traceparent":"1"}"#;
        let same = |one: Option<&str>, other: Option<&str>| {
            assert_eq!(same_metadata(one, other), same_metadata(other, one), "{one:?} {other:?}");
            same_metadata(one, other)
        };
        assert!(same(Some(traced), Some(r#"{"traceparent":"2"}"#)) && same(Some(traced), None));
        assert!(same(Some(r#"{"a":1.0,"traceparent":"1"}"#), Some(r#"{"traceparent":"2","a":1.00}"#)));
        assert!(same(Some(r#"{"a":1,"traceparent":"1"}"#), Some(r#"{"a":1}"#)));
        assert!(same(Some(traced), Some("{}")));
        assert!(!same(Some("{}"), None) && !same(Some(r#"{"a":1,"traceparent":"1"}"#), Some(r#"{"a":2}"#)));
        assert!(!same(Some(r#"{"a":1,"traceparent":"1"}"#), None) && !same(Some("\"traceparent\""), None));
    }
}
