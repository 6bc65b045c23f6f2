//! The lines that are sent: an `id` that is not a UUID is replaced by one.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use uuid::{Uuid, uuid};

use crate::{api::json_error, event_log::Tag};

/// The namespace of the ids that an import makes: `UUIDv5(namespace, stream + "\n" + id)`. It never changes, since
/// events would be imported a second time with a new one.
const NAMESPACE: Uuid = uuid!("cf216ed5-b6b2-586d-b112-6f46516075d1");

/// Characters that are shown of a line that is not an object.
const SHOWN: usize = 20;

/// The fields of a line that make its id. The host checks the rest.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    stream: Option<Cow<'l, str>>,
    #[serde(borrow)]
    id: Option<&'l RawValue>,
    #[serde(borrow)]
    tags: Option<&'l RawValue>,
}

impl Line<'_> {
    /// The stream into which the event goes: without one, that of its first tag.
    fn stream(&self) -> Result<Cow<'_, str>, String> {
        if let Some(stream) = &self.stream {
            return Ok(Cow::Borrowed(stream));
        }
        let tags: Vec<String> = match self.tags {
            Some(tags) => {
                serde_json::from_str(tags.get()).map_err(|error| format!("`tags`: {}", json_error(&error)))?
            }
            None => Vec::new(),
        };
        let Some(first) = tags.into_iter().next() else {
            return Err(
                "the event has neither `stream` nor `tags`; without a stream, it goes into that of its first tag"
                    .to_owned(),
            );
        };
        let stream = Tag::new(first).and_then(|tag| tag.stream()).map_err(|error| format!("`tags`: {error}"))?;
        Ok(Cow::Owned(stream.into()))
    }
}

/// A line that is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten<'l> {
    /// The line; only its id may differ from the file.
    pub(super) text: Cow<'l, str>,
    /// Whether it has an id, so that sending it twice appends it once.
    pub(super) has_id: bool,
    /// The id as it is written, if it was replaced.
    pub(super) written_id: Option<&'l str>,
}

/// Replaces the id of a line if it is not a UUID. The error says what is wrong with the line.
pub(super) fn rewrite(text: &str) -> Result<Rewritten<'_>, String> {
    if let Some(reason) = not_an_object(text) {
        return Err(reason);
    }
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| with_column(&error))?;
    // `null` is the same as no id.
    let Some(id) = line.id.map(RawValue::get) else {
        return Ok(Rewritten { text: Cow::Borrowed(text), has_id: false, written_id: None });
    };
    let Some(uuid) = made_id(&line, id)? else {
        return Ok(Rewritten { text: Cow::Borrowed(text), has_id: true, written_id: None });
    };
    // The raw value is a part of the text itself.
    let begin = id.as_ptr().addr() - text.as_ptr().addr();
    let (before, after) = (&text[..begin], &text[begin + id.len()..]);
    let text = Cow::Owned(format!("{before}\"{uuid}\"{after}"));
    Ok(Rewritten { text, has_id: true, written_id: Some(id) })
}

/// The UUID that replaces an id; `None` if the id is a UUID.
///
/// Different streams or ids give different UUIDs, since the host refuses line feeds in the names of streams. The characters make
/// the id: the number `1` and the text `"1"` are the same id, `1.0` is another.
fn made_id(line: &Line<'_>, id: &str) -> Result<Option<Uuid>, String> {
    let text: Cow<'_, str> = match id.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(id).map_err(|error| with_column(&error))?;
            if text.trim().is_empty() {
                // Two events with it would be one event, and the second would be lost.
                return Err("`id` is empty; leave it out, or give each event of the stream one of its own".to_owned());
            }
            if Uuid::try_parse(&text).is_ok() {
                return Ok(None);
            }
            Cow::Owned(text)
        }
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(id),
        _ => return Err(format!("`id` must be a string or a number; it is {id}")),
    };
    Ok(Some(Uuid::new_v5(&NAMESPACE, format!("{}\n{text}", line.stream()?).as_bytes())))
}

/// What is wrong with a line that does not begin as an object does.
fn not_an_object(text: &str) -> Option<String> {
    let text = text.trim_start();
    if text.starts_with('{') {
        return None;
    }
    if text.starts_with('[') {
        let way = "Write each event in a line of its own, without brackets and commas around it; `jq -c '.[]'` does";
        return Some(format!("this is a JSON array; a line is a JSON object. {way}"));
    }
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let begin: String = text.chars().take(SHOWN).collect();
    let reason = if is_json { "it is" } else { "it begins with" };
    Some(format!("a line is a JSON object; {reason} `{begin}`"))
}

/// What is wrong, with the column only: the line is that of the file, and is named before the message.
fn with_column(error: &serde_json::Error) -> String {
    format!("{} at column {}", json_error(error), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> String {
        rewrite(line).unwrap().text.into_owned()
    }

    #[test]
    fn a_uuid_stays_and_so_does_every_other_character() {
        let line = r#" { "stream":"a-1","id":"0190f3c2-0000-7000-8000-000000000001", "data": { "x" : 1.10, "x":2 } } "#;
        assert_eq!(rewrite(line).unwrap(), Rewritten { text: Cow::Borrowed(line), has_id: true, written_id: None });
    }

    #[test]
    fn another_id_becomes_the_uuid_of_stream_and_id_and_nothing_else_changes() {
        let line = r#"{"data":{"n":1.10,"é":"\u00e9"},"id": 17 ,"stream":"a-1"}"#;
        let id = Uuid::new_v5(&NAMESPACE, b"a-1\n17");
        assert_eq!(text(line), line.replace(" 17 ", &format!(" \"{id}\" ")));
        // The same id as a string gives the same UUID, and in another stream another one.
        assert!(text(r#"{"stream":"a-1","id":"17"}"#).contains(&id.to_string()));
        assert!(!text(r#"{"stream":"a-2","id":"17"}"#).contains(&id.to_string()));
    }

    #[test]
    fn ids_never_change_from_one_release_to_the_next() {
        assert_eq!(
            text(r#"{"stream":"flight-20130101-UA1545-EWR","id":1}"#),
            r#"{"stream":"flight-20130101-UA1545-EWR","id":"e8ab2ce8-2a23-5c1c-bc52-cd891b73fa49"}"#
        );
    }

    #[test]
    fn escapes_are_understood_where_ids_are_made() {
        assert_eq!(
            text(r#"{"stream":"a\u002d1","id":"\u0031"}"#).split_once("\"id\":").unwrap().1,
            text(r#"{"stream":"a-1","id":1}"#).split_once("\"id\":").unwrap().1,
        );
    }

    #[test]
    fn without_a_stream_the_id_is_made_of_the_stream_of_the_first_tag() {
        let id = |line: &str| text(line).rsplit_once("\"id\":").unwrap().1.to_owned();
        let without = r#"{"tags":["course:c1","x"],"id":7}"#;
        assert_eq!(id(without), id(r#"{"stream":"course-c1","id":7}"#));
        assert_eq!(id(r#"{"stream":null,"tags":["course\u003ac1"],"id":7}"#), id(without));
        assert_ne!(id(r#"{"stream":"enrolment-7","tags":["course:c1"],"id":7}"#), id(without));
    }

    #[test]
    fn no_id_and_null_are_left_to_the_host() {
        for line in [r#"{"stream":"a-1","data":1}"#, r#"{"stream":"a-1","id":null}"#] {
            assert_eq!(
                rewrite(line).unwrap(),
                Rewritten { text: Cow::Borrowed(line), has_id: false, written_id: None }
            );
        }
    }

    #[test]
    fn an_empty_id_is_refused() {
        for id in [r#""""#, r#"" ""#, r#""\t""#, r#""\u0020\u00a0""#] {
            let error = rewrite(&format!(r#"{{"stream":"a-1","id":{id}}}"#)).unwrap_err();
            assert_eq!(error, "`id` is empty; leave it out, or give each event of the stream one of its own", "{id}");
        }
    }

    #[test]
    fn different_ids_give_different_uuids() {
        let id = |stream: &str, id: &str| {
            let line = text(&format!(r#"{{"stream":"{stream}","id":{id}}}"#));
            serde_json::from_str::<serde_json::Value>(&line).unwrap()["id"].as_str().unwrap().parse::<Uuid>().unwrap()
        };
        let all = [
            ("a", "1"),
            ("a", "1.0"),
            ("a", "1e0"),
            ("a", "-1"),
            ("a", r#"" 1""#),
            ("a", r#""1 ""#),
            ("a", r#""\u00e9""#),
            ("a", r#""e\u0301""#),
            ("a", r#""null""#),
            ("a", r#""bc""#),
            ("ab", r#""c""#),
            ("a", r#""b\nc""#),
            ("a b", r#""c""#),
            // Numbers with as many digits as a UUID has.
            ("a", "12345678901234567890123456789012"),
            ("a", "12345678901234567890123456789013"),
        ];
        let ids: std::collections::HashSet<_> = all.iter().map(|(stream, of)| id(stream, of)).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn a_line_that_is_not_an_event_is_refused() {
        let error = |line| rewrite(line).unwrap_err();
        assert_eq!(error(r#"{"stream":"a-1","id":{}}"#), "`id` must be a string or a number; it is {}");
        assert_eq!(
            error(r#"{"id":1}"#),
            "the event has neither `stream` nor `tags`; without a stream, it goes into that of its first tag"
        );
        assert_eq!(error(r#"{"id":1,"tags":"a"}"#), "`tags`: an array is expected, not the text \"a\"");
        assert_eq!(error(r#"{"id":1,"tags":[""]}"#), "`tags`: the tag must not be empty");
        assert_eq!(error(r#"{"stream":"a-1""#), "the text ends within an object at column 15");
        assert_eq!(error("stream,id"), "a line is a JSON object; it begins with `stream,id`");
        assert_eq!(error("17"), "a line is a JSON object; it is `17`");
        assert_eq!(
            error("["),
            "this is a JSON array; a line is a JSON object. Write each event in a line of its own, without brackets and \
             commas around it; `jq -c '.[]'` does"
        );
        assert!(error(r#"[{"stream":"a-1"}]"#).starts_with("this is a JSON array; "));
    }
}
