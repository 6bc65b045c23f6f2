//! The statements that write and read the rows of a table.

use crate::read_model::{table::Table, value::ColumnType};

pub(super) fn upsert(name: &str, table: &Table) -> String {
    let columns = join(table.columns().iter().map(|column| column.name.quoted()), ", ");
    let arrays =
        table.columns().iter().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let key = join(table.key_columns().map(|column| column.name.quoted()), ", ");
    let rest = table.columns().iter().enumerate().filter(|(place, _)| !table.key().contains(place));
    let set = join(rest.map(|(_, column)| format!("{0} = excluded.{0}", column.name.quoted())), ", ");
    let conflict = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
    format!(
        "INSERT INTO {name} ({columns}) SELECT * FROM unnest({}) ON CONFLICT ({key}) DO {conflict}",
        join(arrays, ", ")
    )
}

pub(super) fn delete(name: &str, table: &Table) -> String {
    let arrays = table.key_columns().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let gone = join((0..table.key().len()).map(|place| format!("k{place}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(place, column)| format!("t.{} = gone.k{place}", column.name.quoted()));
    format!(
        "DELETE FROM {name} AS t USING unnest({}) AS gone ({gone}) WHERE {}",
        join(arrays, ", "),
        join(same, " AND ")
    )
}

pub(super) fn get_many(name: &str, table: &Table) -> String {
    let arrays = table.key_columns().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let wanted = join((0..table.key().len()).map(|place| format!("k{place}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(place, column)| format!("t.{} = wanted.k{place}", column.name.quoted()));
    format!(
        "SELECT wanted.place, {} FROM unnest({}) WITH ORDINALITY AS wanted ({wanted}, place) JOIN {name} AS t ON {}",
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
        _ => format!("${number}::{}", column_type.sql()),
    }
}

/// A parameter that is an array of a column's values, as a statement writes it. Decimals and JSON travel as text.
fn array_parameter(number: usize, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal | ColumnType::Json => format!("${number}::text[]::{}[]", column_type.sql()),
        _ => format!("${number}::{}[]", column_type.sql()),
    }
}

/// A column as a statement selects it so that [`row_from_postgres`](super::cells::row_from_postgres) can read it.
fn selected(column: &str, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal | ColumnType::Json => format!("{column}::text"),
        _ => column.to_owned(),
    }
}

pub(super) fn join(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}
