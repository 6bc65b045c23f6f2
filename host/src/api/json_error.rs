//! What is wrong with JSON, in plain words: serde's own messages speak of Rust's types and of its parser.

/// The message of an error without its position.
#[must_use]
pub fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    plain(text.strip_suffix(&position).unwrap_or(&text))
}

/// A message of serde in plain words.
fn plain(message: &str) -> String {
    let wrong_type = ["invalid type: ", "invalid value: "].iter().find_map(|prefix| message.strip_prefix(prefix));
    if let Some((found, expected)) = wrong_type.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!("{} is expected, not {}", expected_words(expected), found_words(found));
    }
    if let Some(field) = message.strip_prefix("duplicate field ") {
        return format!("the field {field} is there twice");
    }
    if let Some(reason) = message.strip_prefix("UUID parsing failed: ") {
        return format!("it is not a UUID: {reason}");
    }
    match message {
        "EOF while parsing a value" => "the text ends where a value is expected",
        "EOF while parsing an object" => "the text ends within an object",
        "EOF while parsing a list" => "the text ends within an array",
        "EOF while parsing a string" => "the text ends within a string",
        "expected value" => "a value is expected",
        "expected ident" => "`true`, `false` or `null` is expected",
        "key must be a string" => "the name of a field, in double quotes, is expected",
        "trailing characters" => "more text follows the JSON",
        "number out of range" => "the number is too large",
        other => other,
    }
    .to_owned()
}

fn expected_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more,",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "an array",
        "a map" => "an object",
        "a formatted UUID string" => "a UUID in double quotes",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

fn found_words(found: &str) -> String {
    let quoted = |prefix: &str| found.strip_prefix(prefix)?.strip_suffix('`');
    if let Some(number) = quoted("integer `").or_else(|| quoted("floating point `")) {
        return format!("the number {number}");
    }
    if let Some(truth) = quoted("boolean `") {
        return truth.to_owned();
    }
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        other => match other.strip_prefix("string ") {
            Some(text) => format!("the text {text}"),
            None => other.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    fn error_of<T: DeserializeOwned>(json: &str) -> String {
        match serde_json::from_str::<T>(json) {
            Ok(_) => panic!("{json} can be read"),
            Err(error) => json_error(&error),
        }
    }

    #[test]
    fn types_are_those_of_json() {
        assert_eq!(error_of::<u32>("1.5"), "a whole number, 0 or more, is expected, not the number 1.5");
        assert_eq!(error_of::<u32>("-1"), "a whole number, 0 or more, is expected, not the number -1");
        assert_eq!(error_of::<u32>("4294967296"), "a whole number, 0 or more, is expected, not the number 4294967296");
        assert_eq!(error_of::<u32>("\"1\""), "a whole number, 0 or more, is expected, not the text \"1\"");
        assert_eq!(error_of::<u32>("1e400"), "the number is too large");
        assert_eq!(error_of::<bool>("null"), "`true` or `false` is expected, not null");
        assert_eq!(error_of::<String>("true"), "a string is expected, not true");
        assert_eq!(error_of::<Vec<u8>>("{}"), "an array is expected, not an object");
        assert_eq!(error_of::<uuid::Uuid>("7"), "a UUID in double quotes is expected, not the number 7");
        assert!(error_of::<uuid::Uuid>("\"x\"").starts_with("it is not a UUID: "));
        assert_eq!(
            error_of::<super::super::Append>("{\"events\":[],\"events\":[]}"),
            "the field `events` is there twice"
        );
    }

    #[test]
    fn what_is_not_json_is_said_without_words_of_the_parser() {
        assert_eq!(error_of::<serde_json::Value>("{"), "the text ends within an object");
        assert_eq!(error_of::<serde_json::Value>("[1"), "the text ends within an array");
        assert_eq!(error_of::<serde_json::Value>("\"a"), "the text ends within a string");
        assert_eq!(error_of::<serde_json::Value>(""), "the text ends where a value is expected");
        assert_eq!(error_of::<serde_json::Value>("{a"), "the name of a field, in double quotes, is expected");
        assert_eq!(error_of::<serde_json::Value>("x"), "a value is expected");
        assert_eq!(error_of::<serde_json::Value>("tru "), "`true`, `false` or `null` is expected");
        assert_eq!(error_of::<serde_json::Value>("1 2"), "more text follows the JSON");
    }
}
