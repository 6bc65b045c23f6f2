//! Reading JSON that clients send, or a problem that says what is wrong with it.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::problem::{Code, Problem};
use crate::api::json_error;

/// The byte-order mark that some programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Characters that are shown of a text that is not JSON.
const SHOWN: usize = 20;

/// Where the JSON stands.
#[derive(Clone, Copy)]
enum Source {
    Body,
    /// A line of the body. The caller adds which.
    Line,
}

/// Reads the JSON object that a body is.
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    parse_object(bytes, Source::Body)
}

/// Reads the JSON object that a line of the body is. The caller adds which line.
pub(super) fn parse_json_line<T: DeserializeOwned>(line: &[u8]) -> Result<T, Problem> {
    parse_object(line.trim_ascii_end(), Source::Line)
}

/// The text behind a byte-order mark. Files with a mark may be put together, so any line may begin with one.
pub(super) fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Line => "line",
        }
    }

    fn malformed(self, error: &serde_json::Error) -> Problem {
        let position = match self {
            Self::Body => format!("line {} column {}", error.line(), error.column()),
            Self::Line => format!("column {}", error.column()),
        };
        Problem::new(Code::MalformedJson, format!("{} at {position}", json_error(error)))
    }

    /// The problem of a text that does not begin as an object does. (serde would also read an array as an object, its items as the
    /// fields.)
    fn not_an_object(self, text: &[u8]) -> Problem {
        let name = self.name();
        let malformed = |detail: String| Problem::new(Code::MalformedJson, detail);
        match text {
            [] => malformed(format!("the {name} is empty; it must be a JSON object")),
            [0x1f, 0x8b, ..] => {
                malformed(format!("the {name} is compressed with gzip, but there is no `Content-Encoding: gzip`"))
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => malformed(format!("the {name} is UTF-16; it must be UTF-8")),
            [b'[', ..] => {
                let way = match self {
                    Self::Body => "the body must be a JSON object",
                    Self::Line => {
                        "a line is a JSON object. Write each event in a line of its own, without brackets and commas around it"
                    }
                };
                Problem::new(Code::InvalidBody, format!("this is a JSON array; {way}"))
            }
            other if serde_json::from_slice::<IgnoredAny>(other).is_ok() => {
                Problem::new(Code::InvalidBody, format!("the {name} must be a JSON object"))
            }
            other => {
                let begin: String = String::from_utf8_lossy(other).chars().take(SHOWN).collect();
                malformed(format!("the {name} must be a JSON object; it begins with `{}`", begin.escape_debug()))
            }
        }
    }
}

/// Reads the JSON that a body is, whatever it is: its text.
pub(super) fn parse_json_value(bytes: &[u8]) -> Result<Box<RawValue>, Problem> {
    parse(without_byte_order_mark(bytes), Source::Body)
}

/// Reads the JSON array of objects that a body is.
pub(super) fn parse_json_list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, Problem> {
    let bytes = without_byte_order_mark(bytes);
    match bytes.trim_ascii_start() {
        [b'[', ..] => parse(bytes, Source::Body),
        [b'{', ..] => Err(Problem::new(Code::InvalidBody, "this is a JSON object; the body must be a JSON array")),
        other => Err(Source::Body.not_an_object(other)),
    }
}

fn parse_object<T: DeserializeOwned>(bytes: &[u8], source: Source) -> Result<T, Problem> {
    let bytes = without_byte_order_mark(bytes);
    let begin = bytes.trim_ascii_start();
    if begin.first() != Some(&b'{') {
        return Err(source.not_an_object(begin));
    }
    parse(bytes, source)
}

fn parse<T: DeserializeOwned>(bytes: &[u8], source: Source) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        // JSON's grammar allows a number of any size.
        let too_large = inner.to_string().starts_with("number out of range");
        if inner.is_data() || too_large { invalid(&path, inner) } else { source.malformed(inner) }
    })?;
    json.end().map_err(|error| source.malformed(&error))?;
    Ok(parsed)
}

/// The problem of a field; `path` leads to it, or to the object that lacks it or has it twice.
fn invalid(path: &str, error: &serde_json::Error) -> Problem {
    let (reason, inner) = (json_error(error), error.to_string());
    let of_object = ["missing field `", "duplicate field `"].iter().find_map(|prefix| inner.strip_prefix(prefix));
    let name = of_object.and_then(|rest| rest.split('`').next());
    let field = match (path, name) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    // The sentence names the field that the whole object lacks.
    let detail = if path == "." { reason } else { format!("{path}: {reason}") };
    Problem::new(Code::InvalidBody, detail).with("field", field)
}
