//! `order`: the order of the rows, as it is written.

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{Field, FieldName, field},
    found_words::FoundWords,
    limits::MAX_ORDER_TERMS,
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
    /// A field of the rows themselves.
    Field(Field<'t>),
    /// A field of the one row that is embedded: the index of the embedding, and its field.
    Embedded(usize, Field<'t>),
    /// How well a row fits the words that the query searches for.
    Rank(FoundWords<'t>),
}

impl<'t> OrderBy<'t> {
    /// The field of the rows themselves, unless it is something else.
    pub(super) fn field(&self) -> Option<&Field<'t>> {
        match self {
            Self::Field(field) => Some(field),
            Self::Embedded(..) | Self::Rank(_) => None,
        }
    }
}

/// A term as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The embedding whose field it is, if it is not one of the rows themselves.
    pub(super) embedding: Option<String>,
    pub(super) field: FieldName,
    /// Whether it is the rank of a full-text index, which the field names.
    pub(super) is_rank: bool,
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
    let is_rank = embedding.is_none() && name.path.is_empty() && cursor.attempt_silently(rank)?.is_some();
    let direction = suffix(cursor, [("asc", Direction::Ascending), ("desc", Direction::Descending)])?;
    let nulls = suffix(cursor, [("nullsfirst", Nulls::First), ("nullslast", Nulls::Last)])?;
    cursor.blanks();
    Ok(Term { embedding, field: name, is_rank, direction, nulls })
}

/// `.rank` after the name of a full-text index. PostgREST has no such word, so errors do not name it either.
fn rank(cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.expect(".rank")?;
    match cursor.peek() {
        None | Some('.' | ',' | ' ') => Ok(()),
        Some(_) => Err(Stop::Mismatch),
    }
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
