//! Lines as the host takes them: an `id` that is no UUID becomes one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::{Uuid, uuid};

/// The namespace of the ids that an import makes: `UUIDv5(namespace, stream + "\n" + id)`. It never changes, or else what was
/// imported once would be imported again.
const NAMESPACE: Uuid = uuid!("cf216ed5-b6b2-586d-b112-6f46516075d1");

/// Of a line, what decides its id. All else is the host's to judge.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    stream: Cow<'l, str>,
    #[serde(borrow)]
    id: Option<&'l RawValue>,
}

/// A line of JSON as it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten<'l> {
    /// The line, with nothing changed but its id.
    pub(super) text: Cow<'l, str>,
    /// Whether it has an id, so that sending it twice appends it once.
    pub(super) has_id: bool,
}

/// Gives a line its id. The error says what is wrong with the line.
pub(super) fn rewrite(text: &str) -> Result<Rewritten<'_>, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| without_line(&error))?;
    // `null` is no id.
    let Some(id) = line.id.map(RawValue::get) else {
        return Ok(Rewritten { text: Cow::Borrowed(text), has_id: false });
    };
    let Some(uuid) = made_id(&line.stream, id)? else {
        return Ok(Rewritten { text: Cow::Borrowed(text), has_id: true });
    };
    // The raw value is a part of the text itself.
    let begin = id.as_ptr().addr() - text.as_ptr().addr();
    let (before, behind) = (&text[..begin], &text[begin + id.len()..]);
    Ok(Rewritten { text: Cow::Owned(format!("{before}\"{uuid}\"{behind}")), has_id: true })
}

/// The id that is made of one that is no UUID; none if it is one.
///
/// Streams and ids that differ are never made one: a stream's name has no line feed, which the host sees to. What makes an id
/// is its characters, so the number `1` is the text `"1"`, and `1.0` is another.
fn made_id(stream: &str, id: &str) -> Result<Option<Uuid>, String> {
    let text: Cow<'_, str> = match id.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(id).map_err(|error| without_line(&error))?;
            if text.trim().is_empty() {
                // Two events without an id would be taken for one, and the second be lost.
                return Err("`id` is empty; leave it out, or give each event of the stream one of its own".to_owned());
            }
            if Uuid::try_parse(&text).is_ok() {
                return Ok(None);
            }
            Cow::Owned(text)
        }
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(id),
        _ => return Err(format!("`id` must be a text or a number; it is {id}")),
    };
    Ok(Some(Uuid::new_v5(&NAMESPACE, format!("{stream}\n{text}").as_bytes())))
}

/// What serde says, without its `at line 1`: the number of the line stands in front.
fn without_line(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match words.rsplit_once(" at line ") {
        Some((words, _)) => format!("{words} at column {}", error.column()),
        None => words,
    }
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
        assert_eq!(rewrite(line).unwrap(), Rewritten { text: Cow::Borrowed(line), has_id: true });
    }

    #[test]
    fn another_id_becomes_the_uuid_of_stream_and_id_and_nothing_else_changes() {
        let line = r#"{"data":{"n":1.10,"é":"\u00e9"},"id": 17 ,"stream":"a-1"}"#;
        let id = Uuid::new_v5(&NAMESPACE, b"a-1\n17");
        assert_eq!(text(line), line.replace(" 17 ", &format!(" \"{id}\" ")));
        // The same id as a text is the same id; in another stream it is another.
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
    fn no_id_and_null_are_left_to_the_host() {
        for line in [r#"{"stream":"a-1","data":1}"#, r#"{"stream":"a-1","id":null}"#] {
            assert_eq!(rewrite(line).unwrap(), Rewritten { text: Cow::Borrowed(line), has_id: false });
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
    fn ids_that_differ_stay_apart() {
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
            // As many digits as a UUID has, and a number all the same.
            ("a", "12345678901234567890123456789012"),
            ("a", "12345678901234567890123456789013"),
        ];
        let ids: std::collections::HashSet<_> = all.iter().map(|(stream, of)| id(stream, of)).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn what_is_no_line_of_an_import_is_refused_in_words() {
        let error = |line| rewrite(line).unwrap_err();
        assert_eq!(error(r#"{"stream":"a-1","id":{}}"#), "`id` must be a text or a number; it is {}");
        assert_eq!(error(r#"{"id":1}"#), "missing field `stream` at column 8");
        assert_eq!(error(r#"{"stream":"a-1""#), "EOF while parsing an object at column 15");
        assert_eq!(error("stream,id"), "expected value at column 1");
    }
}
