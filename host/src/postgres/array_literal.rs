//! Arrays as Postgres reads them from text.

use std::fmt::{Display, Write as _};

/// The literal of an array. Every element is quoted, so the text `NULL` does not become null.
pub(crate) fn array_literal(elements: impl IntoIterator<Item = impl Display>) -> String {
    let mut literal = "{".to_owned();
    for (index, element) in elements.into_iter().enumerate() {
        literal.push_str(if index == 0 { "\"" } else { ",\"" });
        let start = literal.len();
        let _ = write!(literal, "{element}");
        if literal[start..].contains(['"', '\\']) {
            let escaped = literal[start..].replace('\\', "\\\\").replace('"', "\\\"");
            literal.replace_range(start.., &escaped);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_quoted() {
        assert_eq!(array_literal([""; 0]), "{}");
        assert_eq!(array_literal(["NULL", "", "a,b", r#"a"b"#, r"a\b"]), r#"{"NULL","","a,b","a\"b","a\\b"}"#);
        assert_eq!(array_literal([1.5, f64::NAN, f64::NEG_INFINITY]), r#"{"1.5","NaN","-inf"}"#);
    }
}
