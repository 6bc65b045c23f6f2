//! Reads the values of filters.

use super::{
    cursor::{Cursor, Parsed, Stop},
    name::quoted,
};

/// The rest of the text: the value of a filter that is a parameter of its own.
pub(super) fn rest(cursor: &mut Cursor<'_>) -> Parsed<String> {
    Ok(cursor.take_while(|_| true).to_owned())
}

/// A value within a logic tree: it ends at `,` or `)`, unless it is in double quotes or braces.
pub(super) fn enclosed(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if let Some(value) = cursor.attempt_silently(alone_in_quotes)? {
        return Ok(value);
    }
    if let Some(array) = cursor.attempt_silently(array)? {
        return Ok(array);
    }
    Ok(bare(cursor))
}

/// A list of values: `(a,"b,c",d)`. A list of one empty value means the empty list, which cannot be written otherwise.
pub(super) fn list(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.blanks();
    cursor.expect("(")?;
    cursor.blanks();
    let mut values = vec![element(cursor)?];
    while cursor.literal(",") {
        values.push(element(cursor)?);
    }
    cursor.blanks();
    cursor.expect(")")?;
    cursor.blanks();
    if values == [""] {
        values.clear();
    }
    Ok(values)
}

fn element(cursor: &mut Cursor<'_>) -> Parsed<String> {
    Ok(match cursor.attempt_silently(alone_in_quotes)? {
        Some(value) => value,
        None => bare(cursor),
    })
}

/// A text in double quotes that is the whole value. If more text follows, the quotes are part of the value.
fn alone_in_quotes(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let value = quoted(cursor)?;
    match cursor.peek() {
        None | Some(',' | ')') => Ok(value),
        Some(_) => Err(Stop::Mismatch),
    }
}

/// The literal of an array, whose commas are part of the value.
fn array(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.rest();
    cursor.expect("{")?;
    cursor.take_while(|next| !matches!(next, '{' | '}'));
    cursor.expect("}")?;
    Ok(start[..start.len() - cursor.rest().len()].to_owned())
}

fn bare(cursor: &mut Cursor<'_>) -> String {
    cursor.take_while(|next| !matches!(next, ',' | ')')).to_owned()
}
