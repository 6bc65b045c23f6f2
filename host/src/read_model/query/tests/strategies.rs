//! Random rows and queries.

use std::collections::HashSet;

use super::model::{Condition, ModelQuery, OrderTerm};
use crate::read_model::{
    ColumnType, Row, Table, Value,
    samples::{text, value},
};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

/// Rows with keys 0, 1, 2 …
pub(super) fn rows(table: &Table) -> impl Strategy<Value = Vec<Row>> + use<> {
    let cells: Vec<_> = table.columns()[1..]
        .iter()
        .map(|column| prop_oneof![1 => Just(Value::Null), 3 => value(column.column_type)])
        .collect();
    prop::collection::vec(cells, 0..10).prop_map(|rows| {
        let keyed = |(key, cells): (usize, Row)| {
            std::iter::once(Value::I64(i64::try_from(key).unwrap())).chain(cells).collect()
        };
        rows.into_iter().enumerate().map(keyed).collect()
    })
}

fn condition(table: &Table) -> impl Strategy<Value = Condition> + use<> {
    let columns: Vec<_> = table.columns().iter().map(|column| column.column_type).enumerate().collect();
    let one =
        (select(columns), any::<bool>()).prop_flat_map(|((column, column_type), not)| {
            let operators: &[_] = match column_type {
                // The order that Postgres has for JSON is of no use to clients.
                ColumnType::Json => &["eq", "neq"],
                _ => &["eq", "neq", "gt", "gte", "lt", "lte"],
            };
            let compare = (select(operators), value(column_type))
                .prop_map(move |(operator, value)| Condition::Compare { column, not, operator, value });
            let list = prop::collection::vec(value(column_type), 0..4)
                // A list of one empty text means the empty list.
                .prop_map(|values| if values.len() == 1 && text(&values[0]).is_empty() { vec![] } else { values })
                .prop_map(move |values| Condition::In { column, not, values });
            let states: &[_] = match column_type {
                ColumnType::Bool => &["null", "not_null", "true", "false", "unknown"],
                _ => &["null", "not_null"],
            };
            let is = select(states).prop_map(move |state| Condition::Is { column, not, state });
            if !column_type.has_words() {
                return prop_oneof![4 => compare, 2 => list, 1 => is].boxed();
            }
            let pieces = select(vec!["a", "A", "é", "%", "*", "_", "\\\\", "\\%", "\\*", "\\_", "\"", ",", ")", " "]);
            // A star means `%` even after a backslash, which then escapes it.
            let pattern = prop::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat().replace("\\*", "\\%"));
            let like = (select(vec!["like", "ilike"]), pattern).prop_map(move |(operator, pattern)| Condition::Like {
                column,
                not,
                operator,
                pattern,
            });
            prop_oneof![4 => compare, 2 => list, 1 => is, 4 => like].boxed()
        });
    one.prop_recursive(3, 12, 3, |inner| {
        (any::<bool>(), select(vec!["and", "or"]), prop::collection::vec(inner, 1..4))
            .prop_map(|(not, connective, parts)| Condition::Group { not, connective, parts })
    })
}

pub(super) fn query(table: &Table) -> impl Strategy<Value = ModelQuery> + use<> {
    let columns: Vec<_> = (0..table.columns().len()).collect();
    let alias = prop::option::of("[a-z \"\\\\:.,;*é-]{1,4}");
    let select_columns = subsequence(columns.clone(), 0..4)
        .prop_flat_map(move |columns| {
            columns.into_iter().map(|column| (Just(column), alias.clone())).collect::<Vec<_>>()
        })
        // A JSON object of the model cannot have the same key twice.
        .prop_filter("two columns of one name", |selected| {
            let names: HashSet<_> = selected.iter().filter_map(|(_, alias)| alias.as_deref()).collect();
            names.len() == selected.iter().filter(|(_, alias)| alias.is_some()).count()
                && names.iter().all(|name| !name.chars().all(|letter| letter.is_ascii_lowercase()))
        });
    let sortable: Vec<_> =
        columns.into_iter().filter(|&column| table.columns()[column].column_type != ColumnType::Json).collect();
    let term = (select(sortable), select(vec!["", ".asc", ".desc"]), select(vec!["", ".nullsfirst", ".nullslast"]))
        .prop_map(|(column, direction, nulls)| OrderTerm { column, direction, nulls });
    (
        select_columns,
        prop::collection::vec(condition(table), 0..3),
        prop::collection::vec(term, 0..3),
        prop::option::of(0..8_usize),
        prop::option::of(0..4_usize),
    )
        .prop_map(|(select, conditions, order, limit, offset)| ModelQuery {
            select,
            conditions,
            order,
            limit,
            offset,
        })
}
