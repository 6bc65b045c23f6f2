//! Tags, event queries and append conditions as arguments of commands.

use serde::de::DeserializeOwned;

use crate::{
    api::{AppendCondition, EventQuery, json_error},
    event_log::{NameError, Tag},
};

/// Reads a tag for clap.
pub(super) fn tag(text: &str) -> Result<Tag, NameError> {
    Tag::new(text)
}

/// Reads an event query for clap.
pub(super) fn event_query(text: &str) -> Result<EventQuery, String> {
    read(text, r#"{"items": [{"types": ["Sold"], "tags": ["item:7"]}]}"#)
}

/// Reads the condition of an append.
pub(super) fn append_condition(text: &str) -> Result<AppendCondition, String> {
    read(text, r#"{"fail_if_events_match": {"items": [{"tags": ["item:7"]}]}, "after": 12}"#)
}

fn read<T: DeserializeOwned>(text: &str, example: &str) -> Result<T, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        return Err(format!("it is not a JSON object; write one such as {example}"));
    }
    serde_json::from_str(text).map_err(|error| {
        let (reason, line, column) = (json_error(&error), error.line(), error.column());
        format!("{reason} at line {line} column {column}; write it as in {example}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_an_example() {
        assert_eq!(
            event_query("tags").unwrap_err(),
            r#"it is not a JSON object; write one such as {"items": [{"types": ["Sold"], "tags": ["item:7"]}]}"#
        );
        assert_eq!(
            event_query(r#"{"items": [{"tag": "x"}]}"#).unwrap_err(),
            "unknown field `tag`, expected `types` or `tags` at line 1 column 17; \
             write it as in {\"items\": [{\"types\": [\"Sold\"], \"tags\": [\"item:7\"]}]}"
        );
        let error = append_condition(r#"{"after": 1}"#).unwrap_err();
        assert!(
            error.starts_with("missing field `fail_if_events_match` at line 1 column 12; write it as in {"),
            "{error}"
        );
    }

    #[test]
    fn a_condition_may_have_a_position() {
        let query = event_query(r#"{"items": [{}]}"#).unwrap();
        let condition = append_condition(r#" {"fail_if_events_match": {"items": [{}]}, "after": 7}"#).unwrap();
        assert_eq!(condition, AppendCondition { fail_if_events_match: query.clone(), after: Some(7) });
        let condition = append_condition(r#"{"fail_if_events_match": {"items": [{}]}}"#).unwrap();
        assert_eq!(condition, AppendCondition { fail_if_events_match: query, after: None });
    }
}
