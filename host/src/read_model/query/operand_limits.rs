//! Limits of what a filter compares with: what is beyond them costs Postgres much, or makes it fail in ways that are not an error of
//! the server.

use super::{
    error::QueryError,
    limits::{MAX_ARRAY_DEPTH, MAX_NEGATIONS, MAX_PATTERN_BYTES, MAX_WILDCARDS, MAX_WORDS_BYTES},
};

/// The time that Postgres takes for a pattern is the length of the text times that of the pattern.
pub(super) fn check_pattern(pattern: &str) -> Result<(), QueryError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let details = format!("It has {} bytes; at most {MAX_PATTERN_BYTES} are allowed.", pattern.len());
        return Err(QueryError::syntax("the pattern is too long".to_owned(), details));
    }
    let wildcards = pattern.chars().filter(|character| matches!(character, '*' | '%' | '_')).count();
    if wildcards > MAX_WILDCARDS {
        let details = format!("It has {wildcards}; at most {MAX_WILDCARDS} are allowed.");
        return Err(QueryError::syntax("the pattern has too many wildcards".to_owned(), details));
    }
    Ok(())
}

/// Postgres takes a time that grows with the square of some words, and keeps operators that wait for their word in a small stack.
/// `negation` is the operator of that kind, if there is one.
pub(super) fn check_words(negation: Option<char>, words: &str) -> Result<(), QueryError> {
    if words.len() > MAX_WORDS_BYTES {
        let details = format!("They have {} bytes; at most {MAX_WORDS_BYTES} are allowed.", words.len());
        return Err(QueryError::syntax("the words to search for are too long".to_owned(), details));
    }
    let Some(operator) = negation else { return Ok(()) };
    let mut waiting = 0;
    for character in words.chars() {
        if character == operator {
            waiting += 1;
        } else if character.is_alphanumeric() {
            waiting = 0;
        }
        if waiting > MAX_NEGATIONS {
            let details = format!("At most {MAX_NEGATIONS} may stand before a word.");
            return Err(QueryError::syntax(
                format!("the words to search for have too many operators {operator}"),
                details,
            ));
        }
    }
    Ok(())
}

/// Only the depth: whether it is an array otherwise, Postgres says.
pub(super) fn check_array(literal: &str) -> Result<(), QueryError> {
    let (mut depth, mut quoted) = (0_usize, false);
    let mut characters = literal.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_ARRAY_DEPTH {
            return Err(QueryError::malformed_array(literal));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{query::Query, samples::table};

    #[test]
    fn what_is_beyond_a_limit_is_refused_with_it() {
        let table = table();
        for (query, code, message) in [
            (format!("user=like.{}", "x".repeat(MAX_PATTERN_BYTES + 1)), "PGRST100", "the pattern is too long"),
            (format!("or=(user.ilike.{})", "a*_%".repeat(20)), "PGRST100", "the pattern has too many wildcards"),
            (format!("user=fts.{}a", "!".repeat(17)), "PGRST100", "the words to search for have too many operators !"),
            (
                format!("user=not.fts.a|{}a", " ! ".repeat(17)),
                "PGRST100",
                "the words to search for have too many operators !",
            ),
            (format!("user=wfts.{}a", "-".repeat(17)), "PGRST100", "the words to search for have too many operators -"),
            ("tags=eq.{{{{{{{a}}}}}}}".to_owned(), "22P02", "malformed array literal: \"{{{{{{{a}}}}}}}\""),
            ("tags=in.(\"{{{{{{{a\")".to_owned(), "22P02", "malformed array literal: \"{{{{{{{a\""),
            ("seats=ov.{{{{{{{1".to_owned(), "22P02", "malformed array literal: \"{{{{{{{1\""),
        ] {
            let error = Query::parse(&query, &table).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{query}");
        }
        for query in [
            format!("user=like.{}", "x".repeat(MAX_PATTERN_BYTES)),
            format!("user=like.{}", "*a_b%".repeat(16)),
            format!("user=fts.{}a", "!".repeat(16)),
            format!("user=fts.{}", "!a|".repeat(100)),
            format!("user=wfts.{}", "-a ".repeat(100)),
            format!("user=phfts.{}", "-!".repeat(100)),
            "tags=eq.{{{{{{a}}}}}}".to_owned(),
            "tags=eq.{\"{{{{{{{{\",\\{\\{\\{\\{\\{\\{\\{\\{}".to_owned(),
            // Its own type does not count braces.
            "user=eq.{{{{{{{{a".to_owned(),
        ] {
            assert!(Query::parse(&query, &table).is_ok(), "{query}");
        }
    }
}
