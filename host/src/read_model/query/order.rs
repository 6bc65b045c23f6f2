//! `order`: the order of the rows.

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{Field, FieldName, field},
    found_words::FoundWords,
    limits::MAX_ORDER_TERMS,
    logic::Logic,
};
use crate::read_model::{Column, Table};

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
    /// A column, or a path into its JSON.
    Field(Field<'t>),
    /// How well a row fits the words that the query searches for.
    Rank(FoundWords<'t>),
}

impl<'t> OrderBy<'t> {
    /// The field, unless it is something else.
    pub(super) fn field(&self) -> Option<&Field<'t>> {
        match self {
            Self::Field(field) => Some(field),
            Self::Rank(_) => None,
        }
    }
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

/// The terms of `order`. Ranks are of the words that the conditions search for.
pub(super) fn order<'t>(
    table: &'t Table,
    value: &str,
    conditions: &[Logic<'t>],
) -> Result<Vec<OrderTerm<'t>>, QueryError> {
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
    let resolve = |Term { name, is_rank, direction, nulls }: Term| {
        let by = match is_rank {
            true => OrderBy::Rank(FoundWords::of(table, &name.column, conditions, &format!("{}.rank", name.column))?),
            false => OrderBy::Field(Field::named(table, name)?),
        };
        Ok(OrderTerm { by, direction, nulls })
    };
    terms.into_iter().map(resolve).collect()
}

/// The terms of an order in which no two rows are equal: those of the query, then the columns of the key that are not among
/// them. The latter have the direction of the last term, so that with the key `a, b` the order `a.desc` is a backward scan of
/// the key's index, without a sort.
pub(super) fn complete<'t>(table: &'t Table, order: &[OrderTerm<'t>]) -> Vec<OrderTerm<'t>> {
    let direction = order.last().and_then(|last| last.direction);
    let is_named = |column: &Column| {
        let mut fields = order.iter().filter_map(|term| term.by.field());
        fields.any(|field| field.path.is_empty() && field.column.name == column.name)
    };
    let key = table.key_columns().filter(|column| !is_named(column));
    let key = key.map(|column| OrderTerm { by: OrderBy::Field(Field::of(column)), direction, nulls: None });
    order.iter().cloned().chain(key).collect()
}

/// A term as it is written.
struct Term {
    name: FieldName,
    is_rank: bool,
    direction: Option<Direction>,
    nulls: Option<Nulls>,
}

fn term(cursor: &mut Cursor<'_>) -> Parsed<Term> {
    let name = field(cursor)?;
    if cursor.peek() == Some('(') {
        return Err(QueryError::not_embedded(&name.column).into());
    }
    let is_rank = name.path.is_empty() && cursor.attempt_silently(rank)?.is_some();
    let direction = suffix(cursor, [("asc", Direction::Ascending), ("desc", Direction::Descending)])?;
    let nulls = suffix(cursor, [("nullsfirst", Nulls::First), ("nullslast", Nulls::Last)])?;
    cursor.blanks();
    Ok(Term { name, is_rank, direction, nulls })
}

/// `.rank` after the name of a full-text index. PostgREST has no such word, so errors do not name it either.
fn rank(cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.expect(".rank")?;
    match cursor.peek() {
        None | Some('.' | ',' | ' ') => Ok(()),
        Some(_) => Err(Stop::Mismatch),
    }
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
