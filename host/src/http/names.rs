//! Lists of names in query strings: `types` and `category`.

use super::problem::{Code, Problem};
use crate::event_log::{Category, EventType, NameFilter};

/// The types of events that `types` names; all without it.
pub(super) fn types(text: Option<&str>) -> Result<NameFilter, Problem> {
    let Some(text) = text else { return Ok(NameFilter::All) };
    let types = names("types", text)?.into_iter().map(EventType::new);
    let types: Result<Vec<_>, _> = types.collect();
    types.map(NameFilter::only).map_err(|error| Problem::new(Code::InvalidQuery, format!("`types`: {error}")))
}

/// The categories of streams that `category` names; all without it.
pub(super) fn categories(text: Option<&str>) -> Result<NameFilter, Problem> {
    let Some(text) = text else { return Ok(NameFilter::All) };
    let categories = names("category", text)?.into_iter().map(|name| {
        let shown = name.clone();
        Category::new(name).map_err(|error| {
            Problem::new(Code::InvalidCategory, format!("`category`: {error}")).with("category", shown)
        })
    });
    categories.collect::<Result<Vec<_>, _>>().map(NameFilter::only)
}

/// The names of a list with commas. A name in double quotes may have commas itself, and `\"` and `\\` for `"` and `\`; that
/// is how PostgREST writes lists, too.
fn names(parameter: &str, text: &str) -> Result<Vec<String>, Problem> {
    let mut rest = text;
    let mut names = Vec::new();
    loop {
        let (name, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(|| {
                let detail = format!(
                    "`{parameter}`: the quotes of {rest} do not end before a comma; a name with a comma or a quote is written \
                     \"a, \\\"b\\\"\""
                );
                Problem::new(Code::InvalidQuery, detail)
            })?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        names.push(name);
        match behind.strip_prefix(',') {
            Some(behind) => rest = behind,
            None => return Ok(names),
        }
    }
}

/// The text up to the closing quote, and what stands behind it: a comma, or nothing.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let behind = &text[at + 1..];
                return (behind.is_empty() || behind.starts_with(',')).then_some((name, behind));
            }
            '\\' => name.push(characters.next()?.1),
            character => name.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> Vec<String> {
        names("types", text).unwrap()
    }

    #[test]
    fn names_have_commas_between_or_stand_in_quotes() {
        assert_eq!(types(None).unwrap(), NameFilter::All);
        assert_eq!(list("A,B"), ["A", "B"]);
        assert_eq!(list("\"Moved, twice\",B, C"), ["Moved, twice", "B", " C"]);
        assert_eq!(list(r#""say \"so\"","back\\slash""#), [r#"say "so""#, r"back\slash"]);
        assert_eq!(list(r#"5" pipe"#), [r#"5" pipe"#]);
        assert_eq!(list("A,,"), ["A", "", ""]);
        for unclosed in ["\"A", "\"A\"B", "A,\"", "\"A\\"] {
            assert!(names("types", unclosed).is_err(), "{unclosed}");
        }
    }

    #[test]
    fn an_empty_name_is_not_passed_over() {
        for text in ["", "A,", ",A", "A,,B", "\"\""] {
            assert!(types(Some(text)).is_err() && categories(Some(text)).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_can_be_written(wanted in prop::collection::vec("[a,\"\\\\ é-]{0,5}", 1..5)) {
            let quoted = |name: &String| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            let text = wanted.iter().map(quoted).collect::<Vec<_>>().join(",");
            prop_assert_eq!(list(&text), wanted);
        }
    }
}
