//! Output: data on stdout, messages on stderr.

use std::{
    fmt::Display,
    io::{self, Write},
};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// Prints a line of data.
///
/// # Errors
/// Stdout is closed.
pub(super) fn data(line: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Prints data as one line of JSON.
///
/// # Errors
/// As [`data`].
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    data(serde_json::to_string(value)?)
}

/// Prints a message to stderr.
pub(super) fn say(message: impl Display) {
    // Ignores a closed stderr.
    let _ = writeln!(io::stderr().lock(), "{message}");
}

/// Says that there may be a next page of a list, and how to get it.
pub(super) fn say_more(next: Option<impl Display>) {
    if let Some(next) = next {
        say(format_args!("there may be more: --after {next}"));
    }
}

/// A table with these columns; the names of those that hold numbers begin with `#`, which is not shown.
pub(super) fn table(columns: &[&str]) -> Table {
    let mut table = table_without_header();
    table.set_header(columns.iter().map(|name| name.trim_start_matches('#')));
    for (index, name) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            if index == 0 {
                column.set_padding((0, 1));
            }
            if name.starts_with('#') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table
}

/// A table that continues another one.
pub(super) fn table_without_header() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Prints a table, without spaces at the ends of its lines.
///
/// # Errors
/// As [`data`].
pub(super) fn print_table(table: &Table) -> io::Result<()> {
    data(table.trim_fmt())
}
