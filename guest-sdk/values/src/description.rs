//! What authors say of projections, tables and columns.

use crate::limits::MAX_DESCRIPTION_BYTES;

/// The first paragraph of a comment, on one line; empty if the comment says nothing.
#[must_use]
pub fn first_paragraph(comment: &str) -> String {
    let lines = comment.lines().map(str::trim).skip_while(|line| line.is_empty());
    let words: Vec<&str> = lines.take_while(|line| !line.is_empty()).flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// What is wrong with the description of a module, if it has one.
pub(crate) fn check_of_module(description: Option<&str>) -> Vec<String> {
    let wrong = description.and_then(|description| check(description).err());
    wrong.map(|reason| format!("the description {reason}")).into_iter().collect()
}

/// Checks a description of a module, a table or a column.
///
/// # Errors
/// It is empty, too long, has control characters other than line breaks, or characters that change the direction of text, by which code
/// can look other than it is.
pub fn check(description: &str) -> Result<(), String> {
    let bytes = description.len();
    if description.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if bytes > MAX_DESCRIPTION_BYTES {
        return Err(format!("has {bytes} bytes; at most {MAX_DESCRIPTION_BYTES} are allowed"));
    }
    let is_refused = |character: &char| match character {
        '\n' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    };
    match description.chars().find(is_refused) {
        Some(character) => Err(format!("contains the control character {character:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_paragraph_ends_at_an_empty_line() {
        for (comment, paragraph) in [
            ("", ""),
            (" \n\n", ""),
            (" A flight\n  from New York.\n\n More of it.", "A flight from New York."),
            ("\n After an empty line.\n \n Not this.", "After an empty line."),
            ("One.\r\nTwo.\r\n\r\nThree.", "One. Two."),
        ] {
            assert_eq!(first_paragraph(comment), paragraph, "{comment:?}");
        }
    }

    #[test]
    fn a_description_says_something_of_bounded_length() {
        assert_eq!(check("In cents.\nNever negative."), Ok(()));
        assert_eq!(check(&"x".repeat(MAX_DESCRIPTION_BYTES)), Ok(()));
        assert_eq!(check(&"x".repeat(1001)), Err("has 1001 bytes; at most 1000 are allowed".to_owned()));
        assert_eq!(check(" "), Err("is empty".to_owned()));
        assert!(check("a\u{202e}b").is_err() && check("שלום ü").is_ok());
        assert_eq!(check("a\tb"), Err("contains the control character '\\t'".to_owned()));
    }
}
