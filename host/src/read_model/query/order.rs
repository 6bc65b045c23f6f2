//! `order`: the order of the rows.

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{Field, FieldName, field},
    limits::MAX_ORDER_TERMS,
};
use crate::read_model::Table;

/// What to order by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderTerm<'t> {
    pub(super) field: Field<'t>,
    /// `None` is ascending.
    pub(super) direction: Option<Direction>,
    /// `None` is Postgres' default: nulls are sorted as greater than all values.
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

/// The columns that `order` names.
pub(super) fn order<'t>(table: &'t Table, value: &str) -> Result<Vec<OrderTerm<'t>>, QueryError> {
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
    let resolve =
        |(name, direction, nulls): Term| Ok(OrderTerm { field: Field::named(table, name)?, direction, nulls });
    terms.into_iter().map(resolve).collect()
}

type Term = (FieldName, Option<Direction>, Option<Nulls>);

fn term(cursor: &mut Cursor<'_>) -> Parsed<Term> {
    let name = field(cursor)?;
    if cursor.peek() == Some('(') {
        return Err(QueryError::not_embedded(&name.column).into());
    }
    let direction = suffix(cursor, [("asc", Direction::Ascending), ("desc", Direction::Descending)])?;
    let nulls = suffix(cursor, [("nullsfirst", Nulls::First), ("nullslast", Nulls::Last)])?;
    cursor.blanks();
    Ok((name, direction, nulls))
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
