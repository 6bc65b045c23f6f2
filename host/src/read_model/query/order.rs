//! `order`: the order of the rows, as it is written.

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{Field, FieldName, field},
    limits::MAX_ORDER_TERMS,
};

/// A term of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderTerm<'t> {
    pub(super) by: OrderBy<'t>,
    /// `None` is ascending.
    pub(super) direction: Option<Direction>,
    /// `None` is Postgres' default: nulls are sorted as greater than all values.
    pub(super) nulls: Option<Nulls>,
}

/// What to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OrderBy<'t> {
    /// A field of the rows themselves.
    Field(Field<'t>),
    /// A field of the one row that is embedded: the index of the embedding, and its field.
    Embedded(usize, Field<'t>),
}

/// A term as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The embedding whose field it is, if it is not one of the rows themselves.
    pub(super) embedding: Option<String>,
    pub(super) field: FieldName,
    pub(super) direction: Option<Direction>,
    pub(super) nulls: Option<Nulls>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    First,
    Last,
}

/// The terms of `order`.
pub(super) fn order(value: &str) -> Result<Vec<Term>, QueryError> {
    let terms = read("order", value, value, |cursor| {
        let mut terms = vec![term(cursor)?];
        while cursor.literal(",") {
            terms.push(term(cursor)?);
        }
        Ok(terms)
    })?;
    if terms.len() > MAX_ORDER_TERMS {
        return Err(QueryError::too_many("columns to order by", MAX_ORDER_TERMS));
    }
    Ok(terms)
}

fn term(cursor: &mut Cursor<'_>) -> Parsed<Term> {
    let mut name = field(cursor)?;
    let mut embedding = None;
    if cursor.peek() == Some('(') && name.path.is_empty() {
        cursor.expect("(")?;
        embedding = Some(std::mem::replace(&mut name, field(cursor)?).column);
        cursor.expect(")")?;
    }
    let direction = suffix(cursor, [("asc", Direction::Ascending), ("desc", Direction::Descending)])?;
    let nulls = suffix(cursor, [("nullsfirst", Nulls::First), ("nullslast", Nulls::Last)])?;
    cursor.blanks();
    Ok(Term { embedding, field: name, direction, nulls })
}

/// Reads `.word`, if it is one of these words.
fn suffix<T>(cursor: &mut Cursor<'_>, words: [(&'static str, T); 2]) -> Parsed<Option<T>> {
    for (word, meaning) in words {
        let found =
            cursor.attempt(|cursor| if cursor.delimiter() { cursor.expect(word) } else { Err(Stop::Mismatch) })?;
        if found.is_some() {
            return Ok(Some(meaning));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
