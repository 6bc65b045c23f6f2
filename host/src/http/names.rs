//! Lists of names in query strings: `types`, `category` and `tags`.

use super::problem::{Code, Problem};
use crate::event_log::{Category, EventQuery, EventType, NameFilter, QueryItem, Tag, distinct_tags};

/// The event types of the parameter `types`; all if it is left out.
pub(super) fn types(text: Option<&str>) -> Result<NameFilter, Problem> {
    let Some(text) = text else { return Ok(NameFilter::All) };
    let types = names("types", text)?.into_iter().map(EventType::new);
    let types: Result<Vec<_>, _> = types.collect();
    types.map(NameFilter::only).map_err(|error| Problem::new(Code::InvalidQuery, format!("`types`: {error}")))
}

/// The categories of the parameter `category`; all if it is left out.
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

/// The query of the parameter `tags`: events that have all of them. None if it is left out.
pub(super) fn tagged(text: Option<&str>) -> Result<Option<EventQuery>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let tags: Result<Vec<_>, _> = names("tags", text)?.into_iter().map(Tag::new).collect();
    let tags = tags.map_err(|error| Problem::new(Code::InvalidQuery, format!("`tags`: {error}")))?;
    Ok(Some(EventQuery { items: vec![QueryItem { types: Vec::new(), tags: distinct_tags(tags) }] }))
}

/// Splits a list at its commas. A name in double quotes may have commas, and `\"` and `\\` for `"` and `\`, as in lists of
/// PostgREST.
fn names(parameter: &str, text: &str) -> Result<Vec<String>, Problem> {
    let mut rest = text;
    let mut names = Vec::new();
    loop {
        let (name, after) = match rest.strip_prefix('"') {
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
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok(names),
        }
    }
}

/// The text up to the closing quote, and the rest after it, which is empty or begins with a comma.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let after = &text[at + 1..];
                return (after.is_empty() || after.starts_with(',')).then_some((name, after));
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
    fn all_tags_of_a_list_are_wanted() {
        assert_eq!(tagged(None).unwrap(), None);
        let EventQuery { items } = tagged(Some("course:c1,\"a,b\",course:c1")).unwrap().unwrap();
        let tags: Vec<_> = items.iter().map(|item| item.tags.iter().map(Tag::as_str).collect::<Vec<_>>()).collect();
        assert_eq!(tags, [["course:c1", "a,b"]]);
    }

    #[test]
    fn an_empty_name_is_refused() {
        for text in ["", "A,", ",A", "A,,B", "\"\""] {
            assert!(types(Some(text)).is_err() && categories(Some(text)).is_err(), "{text}");
            assert!(tagged(Some(text)).is_err(), "{text}");
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
