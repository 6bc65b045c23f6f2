//! Paths into the JSON of a column: `->key`, `->0` and `->>key`.

use super::{
    cursor::{Cursor, Parsed, Stop},
    limits::MAX_PATH_STEPS,
    name::quoted,
};

/// The steps of a path, from the outside to the inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JsonPath {
    pub(super) steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) to: StepTo,
    /// Whether the result is text: `->>`.
    pub(super) as_text: bool,
}

/// Where a step leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepTo {
    /// The value of a key of an object.
    Key(String),
    /// An element of an array, counted from 0, or if it is negative from the end. Digits of any number: Postgres says if they are too many.
    Index(String),
}

impl JsonPath {
    /// Whether it leads nowhere, so that the column itself is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The last key of the path, by which the result is named unless it has an alias. `None` if all steps are numbers.
    pub(super) fn last_key(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match &step.to {
            StepTo::Key(key) => Some(key.as_str()),
            StepTo::Index(_) => None,
        })
    }
}

/// Reads the steps that follow the name of a column; there may be none.
pub(super) fn json_path(cursor: &mut Cursor<'_>) -> Parsed<JsonPath> {
    let mut steps = Vec::new();
    loop {
        let as_text = if cursor.literal("->>") {
            true
        } else if cursor.literal("->") {
            false
        } else {
            return Ok(JsonPath { steps });
        };
        if steps.len() == MAX_PATH_STEPS {
            return Err(cursor.refuse(format!("The path has too many steps; at most {MAX_PATH_STEPS} are allowed.")));
        }
        let to = match cursor.attempt(index)? {
            Some(index) => StepTo::Index(index),
            None => StepTo::Key(key(cursor)?),
        };
        steps.push(Step { to, as_text });
    }
}

/// A number that ends the step. In PostgREST a bracket is no end, so `clients(tags->0)` asks for the key `0` there, which an array has not.
fn index(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let sign = if cursor.literal("-") { "-" } else { "" };
    let digits = cursor.take_while(|next| next.is_ascii_digit());
    cursor.miss("digit");
    if digits.is_empty() {
        return Err(Stop::Mismatch);
    }
    let rest = cursor.rest();
    if rest.is_empty() || ["->", "::", ".", ",", ")"].iter().any(|end| rest.starts_with(end)) {
        return Ok(format!("{sign}{digits}"));
    }
    for end in ["->", "::", ".", ","] {
        cursor.miss_text(end);
    }
    cursor.at_end();
    Err(Stop::Mismatch)
}

/// A key: anything in double quotes, or all characters but those that have a meaning.
fn key(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let key = match cursor.peek() {
        Some('"') => quoted(cursor)?,
        _ => plain_key(cursor)?,
    };
    if key.contains('\0') {
        return Err(cursor.refuse("A key of a JSON path must not contain NUL."));
    }
    Ok(key)
}

fn plain_key(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let mut key = String::new();
    loop {
        let part = cursor.take_while(|next| !"(-:.,>)".contains(next));
        if part.is_empty() {
            cursor.miss("any non reserved character different from: .,>()");
            return Err(Stop::Mismatch);
        }
        key.push_str(part.trim());
        if cursor.rest().starts_with("->") || !cursor.rest().starts_with('-') {
            return Ok(key);
        }
        cursor.take();
        key.push('-');
    }
}

#[cfg(test)]
#[path = "json_path_tests.rs"]
mod tests;
