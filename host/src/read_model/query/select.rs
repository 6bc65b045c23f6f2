//! `select`: the columns of the result.

use std::collections::HashSet;

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{FieldName, field},
    limits::{MAX_REPEATED, MAX_SELECTED},
    name::{alias, column},
};
use crate::read_model::{Column, Table};

/// A column of the result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selected<'t> {
    pub(super) column: &'t Column,
    /// Its name in the result, if it is not the column's.
    pub(super) alias: Option<String>,
}

/// An item of `select`.
enum Item {
    All,
    Column { name: String, alias: Option<String> },
}

/// The columns that `select` names; all columns if it is empty.
pub(super) fn select<'t>(table: &'t Table, value: &str) -> Result<Vec<Selected<'t>>, QueryError> {
    let items = if value.is_empty() { vec![Item::All] } else { read("select parameter", value, value, items)? };
    let mut selected = Vec::new();
    for item in items {
        match item {
            Item::All => selected.extend(table.columns().iter().map(|column| Selected { column, alias: None })),
            Item::Column { name, alias } => selected.push(Selected { column: column(table, &name)?, alias }),
        }
        // Checked after each item, since `*` is many columns.
        if selected.len() > MAX_SELECTED {
            return Err(QueryError::too_many("selected columns", MAX_SELECTED));
        }
    }
    let distinct: HashSet<&str> = selected.iter().map(|selected| selected.column.name.as_str()).collect();
    if selected.len() - distinct.len() > MAX_REPEATED {
        return Err(QueryError::too_many("columns that are selected again", MAX_REPEATED));
    }
    Ok(selected)
}

fn items(cursor: &mut Cursor<'_>) -> Parsed<Vec<Item>> {
    let mut items = vec![item(cursor)?];
    while cursor.literal(",") {
        items.push(item(cursor)?);
    }
    Ok(items)
}

fn item(cursor: &mut Cursor<'_>) -> Parsed<Item> {
    cursor.blanks();
    if cursor.rest().starts_with("...") {
        return Err(not_implemented("Spreading other resources (...) is not implemented."));
    }
    if cursor.peek() == Some('*') {
        cursor.take();
        cursor.blanks();
        return Ok(Item::All);
    }
    let alias = cursor.attempt_silently(alias)?;
    if cursor.rest().starts_with("count()") {
        return Err(QueryError::aggregate().into());
    }
    let FieldName { column: name, path } = field(cursor)?;
    if !path.is_empty() {
        return Err(not_implemented("JSON paths (-> and ->>) are not implemented in select."));
    }
    if cursor.literal("::") {
        return Err(not_implemented("Casts (::) are not implemented."));
    }
    if cursor.literal(".") {
        return Err(aggregate(cursor));
    }
    if matches!(cursor.peek(), Some('(' | '!')) {
        return Err(not_implemented(format!("Embedding other resources ({name}) is not implemented.")));
    }
    Ok(Item::Column { name, alias })
}

/// Reads the name of an aggregate function, which alone may follow the point after a column, and refuses it.
fn aggregate(cursor: &mut Cursor<'_>) -> Stop {
    let known = ["sum()", "avg()", "count()", "max()", "min()"].into_iter().any(|function| cursor.literal(function));
    if known { QueryError::aggregate().into() } else { Stop::Mismatch }
}

fn not_implemented(details: impl Into<String>) -> Stop {
    QueryError::not_implemented(details.into()).into()
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
