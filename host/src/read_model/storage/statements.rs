//! The statements that write and read the rows of a table.

use crate::read_model::{
    table::Table,
    value::{ColumnType, sql_type},
};

/// Where the rows of a statement come from, and the number of its first parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'s> {
    /// A part of the same statement, which has one row if anything is to be written; nothing for a statement of its own.
    pub(super) condition: Option<&'s str>,
    pub(super) first: usize,
}

impl Source<'_> {
    /// A statement of its own.
    pub(super) const ALONE: Self = Self { condition: None, first: 1 };

    fn from(self, arrays: impl IntoIterator<Item = String>) -> String {
        let condition = self.condition.map(|name| format!("{name}, ")).unwrap_or_default();
        format!("{condition}unnest({})", join(arrays, ", "))
    }
}

pub(super) fn upsert(name: &str, table: &Table, source: Source<'_>) -> String {
    let key = join(table.key_columns().map(|column| column.name.quoted()), ", ");
    let rest = table.columns().iter().enumerate().filter(|(index, _)| !table.key().contains(index));
    let set = join(rest.map(|(_, column)| format!("{0} = excluded.{0}", column.name.quoted())), ", ");
    let conflict = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
    format!("{} ON CONFLICT ({key}) DO {conflict}", insert(name, table, source))
}

pub(super) fn insert(name: &str, table: &Table, source: Source<'_>) -> String {
    let columns = join(table.columns().iter().map(|column| column.name.quoted()), ", ");
    let array = |index: usize| array_parameter(source.first + index, table.columns()[index].column_type);
    let cast = |index: usize| match table.columns()[index].column_type {
        array if array.is_array() => format!("::{}", sql_type(array)),
        _ => String::new(),
    };
    let indexes = 0..table.columns().len();
    match source.condition {
        // Arrays that are unnested side by side in the list of a SELECT are not kept in memory as those in a FROM are.
        None => {
            let cells = indexes.map(|index| format!("unnest({}){}", array(index), cast(index)));
            format!("INSERT INTO {name} ({columns}) SELECT {}", join(cells, ", "))
        }
        Some(_) => {
            let names = join(indexes.clone().map(|index| format!("c{index}")), ", ");
            let cells = join(indexes.clone().map(|index| format!("c{index}{}", cast(index))), ", ");
            let from = source.from(indexes.map(array));
            format!("INSERT INTO {name} ({columns}) SELECT {cells} FROM {from} AS written ({names})")
        }
    }
}

pub(super) fn delete(name: &str, table: &Table, source: Source<'_>) -> String {
    let arrays =
        (source.first..).zip(table.key_columns()).map(|(number, column)| array_parameter(number, column.column_type));
    let gone = join((0..table.key().len()).map(|index| format!("k{index}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(index, column)| format!("t.{} = gone.k{index}", column.name.quoted()));
    format!("DELETE FROM {name} AS t USING {} AS gone ({gone}) WHERE {}", source.from(arrays), join(same, " AND "))
}

pub(super) fn get_many(name: &str, table: &Table) -> String {
    let arrays = table.key_columns().enumerate().map(|(index, column)| array_parameter(index + 1, column.column_type));
    let wanted = join((0..table.key().len()).map(|index| format!("k{index}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(index, column)| format!("t.{} = wanted.k{index}", column.name.quoted()));
    format!(
        "SELECT wanted.number, {} FROM unnest({}) WITH ORDINALITY AS wanted ({wanted}, number) JOIN {name} AS t ON {}",
        select_list(table, "t."),
        join(arrays, ", "),
        join(same, " AND ")
    )
}

pub(super) fn select_list(table: &Table, prefix: &str) -> String {
    join(
        table.columns().iter().map(|column| selected(&format!("{prefix}{}", column.name.quoted()), column.column_type)),
        ", ",
    )
}

pub(super) fn parameter(number: usize, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal => format!("${number}::text::numeric"),
        _ => format!("${number}::{}", sql_type(column_type)),
    }
}

/// A parameter that is an array of a column's values. Decimals, JSON and arrays are sent as text.
pub(super) fn array_parameter(number: usize, column_type: ColumnType) -> String {
    match column_type {
        array if array.is_array() => format!("${number}::text[]"),
        ColumnType::Decimal | ColumnType::Json => format!("${number}::text[]::{}[]", sql_type(column_type)),
        _ => format!("${number}::{}[]", sql_type(column_type)),
    }
}

/// What stands behind the type of a column in SQL.
pub(super) fn collation(column_type: ColumnType, in_key: bool) -> &'static str {
    match column_type {
        // Keys are ordered by their bytes, as in the rest of the host, which is also faster to compare than a language's order.
        ColumnType::Text if in_key => " COLLATE \"C\"",
        ColumnType::CiText => " COLLATE gnomon.case_insensitive",
        _ => "",
    }
}

/// The expression that selects a column for [`row_from_postgres`](super::cells::row_from_postgres).
fn selected(column: &str, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal | ColumnType::Json => format!("{column}::text"),
        _ => column.to_owned(),
    }
}

pub(super) fn join(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}
