//! Logic trees: `and=(…)` and `or=(…)`, which may be nested and negated.

use super::{
    condition::{Against, Comparison, Condition, Operand, Test},
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    filter::enclosed_filter,
    limits::MAX_DEPTH,
    scope::Scope,
};
use crate::read_model::Column;

/// A condition, or several that are joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Logic<'t> {
    Condition(Condition<'t>),
    Group { negated: bool, connective: Connective, parts: Vec<Logic<'t>> },
}

/// What joins the parts of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
}

impl Logic<'_> {
    /// The number of conditions, or as how many they count.
    pub(super) fn conditions(&self) -> usize {
        match self {
            Self::Condition(condition) => condition.weight(),
            Self::Group { parts, .. } => parts.iter().map(Logic::conditions).sum(),
        }
    }

    /// The column that it gives one value, if it does no more.
    pub(super) fn given_column(&self) -> Option<&Column> {
        match self {
            Self::Condition(Condition {
                operand: Operand::Field(field),
                negated: false,
                test: Test::Compare(Comparison::Eq, Against::One(_)),
            }) => field.path.is_empty().then_some(field.column),
            Self::Condition(_) | Self::Group { .. } => None,
        }
    }
}

/// The logic of a parameter, whose key is `and`, `or`, `not.and` or `not.or`.
pub(super) fn logic<'t>(scope: Scope<'t, '_>, key: &str, value: &str) -> Result<Logic<'t>, QueryError> {
    // A nested group begins with its connective. With the key in front the outermost group is read in the same way, and errors
    // count columns from the key as PostgREST's do.
    let text = format!("{key}{value}");
    read("logic tree", value, &text, |cursor| tree(scope, cursor, 1))
}

fn tree<'t>(scope: Scope<'t, '_>, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Logic<'t>> {
    if let Some(condition) = cursor.attempt(|cursor| enclosed_filter(scope, cursor))? {
        return Ok(Logic::Condition(condition));
    }
    let negated =
        cursor.labelled("negation operator (not)", |cursor| cursor.attempt(|cursor| cursor.expect("not.")))?;
    if negated.is_some() {
        cursor.commit();
    }
    let connective = cursor.labelled("logic operator (and, or)", connective)?;
    // No column is called `and` or `or`, so this is not a filter, and what the attempt expected is not reported.
    cursor.commit();
    if depth > MAX_DEPTH {
        return Err(cursor.refuse(format!("Groups are nested too deep; at most {MAX_DEPTH} levels are allowed.")));
    }
    cursor.blanks();
    cursor.expect("(")?;
    cursor.blanks();
    let mut parts = vec![tree(scope, cursor, depth + 1)?];
    cursor.blanks();
    while cursor.literal(",") {
        cursor.blanks();
        parts.push(tree(scope, cursor, depth + 1)?);
        cursor.blanks();
    }
    cursor.expect(")")?;
    cursor.blanks();
    Ok(Logic::Group { negated: negated.is_some(), connective, parts })
}

fn connective(cursor: &mut Cursor<'_>) -> Parsed<Connective> {
    if cursor.literal("and") {
        Ok(Connective::And)
    } else if cursor.literal("or") {
        Ok(Connective::Or)
    } else {
        Err(Stop::Mismatch)
    }
}

#[cfg(test)]
#[path = "logic_tests.rs"]
mod tests;
