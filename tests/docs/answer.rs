//! Compares what a command printed with what the page shows.

use serde_json::{Deserializer, Value};

use crate::example::{Answer, AnswerKind};

/// Stands for what is left out.
const LEFT_OUT: &str = "…";

impl Answer {
    /// Compares.
    ///
    /// # Errors
    /// Where they differ.
    pub(crate) fn compare(&self, printed: &str) -> Result<(), String> {
        match self.kind {
            AnswerKind::Json => self.compare_json(printed),
            AnswerKind::Text => compare_lines(&lines(&self.text), &lines(printed)),
        }
    }

    fn compare_json(&self, printed: &str) -> Result<(), String> {
        // What is left out is JSON as a member or an item of its own.
        let shown = self.text.replace("{…}", "{\"…\": null}").replace(", …}", ", \"…\": null}");
        let shown = values(&shown.replace("[…]", "[\"…\"]").replace(", …]", ", \"…\"]"))
            .map_err(|error| format!("the page shows what is not JSON: {error}"))?;
        let printed = values(printed).map_err(|error| format!("it printed what is not JSON: {error}"))?;
        if shown.len() != printed.len() {
            return Err(format!("the page shows {} values, and it printed {}", shown.len(), printed.len()));
        }
        shown.iter().zip(&printed).try_for_each(|(shown, printed)| self.compare_value("", shown, printed))
    }

    fn compare_value(&self, path: &str, shown: &Value, printed: &Value) -> Result<(), String> {
        let differ = || Err(format!("the page shows {path} {shown}, and it printed {printed}"));
        match (shown, printed) {
            (Value::Object(shown), Value::Object(printed)) => {
                for (name, value) in shown.iter().filter(|(name, _)| *name != LEFT_OUT) {
                    let path = format!("{path}.{name}");
                    let Some(printed) = printed.get(name) else {
                        return Err(format!("the page shows {path}, which it did not print"));
                    };
                    if self.varies.iter().any(|varies| varies == name) && same_type(value, printed) {
                        continue;
                    }
                    self.compare_value(&path, value, printed)?;
                }
                let more = printed.keys().find(|name| !shown.contains_key(*name));
                match more {
                    Some(name) if !shown.contains_key(LEFT_OUT) => {
                        Err(format!("it printed {path}.{name}, which the page does not show"))
                    }
                    _ => Ok(()),
                }
            }
            (Value::Array(items), Value::Array(printed)) => {
                let (items, more) = match items.split_last() {
                    Some((last, items)) if last == LEFT_OUT => (items, true),
                    _ => (&items[..], false),
                };
                if printed.len() < items.len() || (!more && printed.len() != items.len()) {
                    return Err(format!(
                        "the page shows {} items of {path}, and it printed {}",
                        items.len(),
                        printed.len()
                    ));
                }
                let mut pairs = items.iter().zip(printed).enumerate();
                pairs
                    .try_for_each(|(at, (shown, printed))| self.compare_value(&format!("{path}[{at}]"), shown, printed))
            }
            (Value::String(pattern), Value::String(text)) if fits(pattern, text) => Ok(()),
            _ if shown == printed => Ok(()),
            _ => differ(),
        }
    }
}

fn values(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    Deserializer::from_str(text).into_iter().collect()
}

fn same_type(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

fn compare_lines(shown: &[&str], printed: &[&str]) -> Result<(), String> {
    match shown {
        [] if printed.is_empty() => Ok(()),
        [] => Err(format!("it printed more than the page shows: `{}`", printed[0])),
        [line, rest @ ..] if *line == LEFT_OUT => {
            if rest.is_empty() {
                return Ok(());
            }
            let found = (0..=printed.len()).any(|from| compare_lines(rest, &printed[from..]).is_ok());
            if found { Ok(()) } else { Err(format!("nothing that it printed is `{}`, with what follows", rest[0])) }
        }
        [line, rest @ ..] => match printed {
            [] => Err(format!("the page shows `{line}`, which it did not print")),
            [first, others @ ..] if fits(line, first) => compare_lines(rest, others),
            [first, ..] => Err(format!("the page shows `{line}`, and it printed `{first}`")),
        },
    }
}

/// Whether a text is what a pattern shows, with any text for each `…`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split(LEFT_OUT);
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some((last, between)) = parts.collect::<Vec<_>>().split_last().map(|(last, rest)| (*last, rest.to_vec()))
    else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(shown: &str, varies: &[&str], printed: &str) -> Result<(), String> {
        let varies = varies.iter().map(|name| (*name).to_owned()).collect();
        Answer { line: 1, kind: AnswerKind::Json, text: shown.to_owned(), varies }.compare(printed)
    }

    fn text(shown: &str, printed: &str) -> Result<(), String> {
        Answer { line: 1, kind: AnswerKind::Text, text: shown.to_owned(), varies: Vec::new() }.compare(printed)
    }

    #[test]
    fn json_is_compared_by_its_values() {
        let same = |shown, printed| assert_eq!(json(shown, &[], printed), Ok(()), "{shown}");
        same(r#"{"a": [1, 2]}"#, "{\"a\":[1,2]}\n");
        same(r#"{"a": 1, …}"#, r#"{"b": 2, "a": 1}"#);
        same(r#"{"a": {…}, "b": […], "c": [1, …]}"#, r#"{"a": {"x": 1}, "b": [1], "c": [1, 2]}"#);
        same(r#"{"a": "b5…", "c": "…"}"#, r#"{"a": "b545", "c": "x"}"#);
        same("{\"a\": 1}\n{\"a\": 2}", "{\"a\":1}{\"a\":2}");
        let differ = |shown, printed| json(shown, &[], printed).unwrap_err();
        assert_eq!(differ(r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 2}}"#), "the page shows .a.b 1, and it printed 2");
        assert_eq!(differ(r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#), "it printed .b, which the page does not show");
        assert_eq!(differ(r#"{"a": 1, …}"#, r#"{"b": 2}"#), "the page shows .a, which it did not print");
        assert_eq!(differ(r#"{"a": [1]}"#, r#"{"a": [1, 2]}"#), "the page shows 1 items of .a, and it printed 2");
        assert_eq!(differ("{}", "{}{}"), "the page shows 1 values, and it printed 2");
        assert!(differ("{}", "oh").starts_with("it printed what is not JSON"));
    }

    #[test]
    fn of_what_varies_the_type_is_compared() {
        assert_eq!(json(r#"{"at": "2013", "rate": 1.5}"#, &["at", "rate"], r#"{"at": "x", "rate": 2}"#), Ok(()));
        let error = json(r#"{"at": "2013"}"#, &["at"], r#"{"at": null}"#).unwrap_err();
        assert_eq!(error, r#"the page shows .at "2013", and it printed null"#);
    }

    #[test]
    fn text_is_compared_by_its_lines() {
        assert_eq!(text("a  b\nc\n", "a  b  \nc\n\n"), Ok(()));
        assert_eq!(text("took … ms, … rows\n", "took 12 ms, 3 rows\n"), Ok(()));
        assert_eq!(text("a\n…\nd\n", "a\nb\nc\nd\n"), Ok(()));
        assert_eq!(text("…\n", "a\nb\n"), Ok(()));
        assert_eq!(text("a\n", "a\nb\n").unwrap_err(), "it printed more than the page shows: `b`");
        assert_eq!(text("a\nb\n", "a\n").unwrap_err(), "the page shows `b`, which it did not print");
        assert_eq!(text("a … c\n", "a b\n").unwrap_err(), "the page shows `a … c`, and it printed `a b`");
        assert_eq!(text("…\nd\n", "a\nb\n").unwrap_err(), "nothing that it printed is `d`, with what follows");
        assert!(!fits("ab…ba", "aba") && fits("a…b…c", "a1b2c") && !fits("a…", "ba"));
    }
}
