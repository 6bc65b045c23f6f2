//! Data goes to stdout, words go to stderr.

use std::{
    fmt::Display,
    io::{self, Write},
};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// Prints a line of data.
///
/// # Errors
/// Nobody reads it any more, as behind `| head`.
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

/// Says something to whoever sits at the terminal.
pub(super) fn say(words: impl Display) {
    // Words that nobody can hear are no reason to stop.
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Says that a list may go on, and how to go on with it.
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

/// A table that goes on where another ended.
pub(super) fn table_without_header() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Prints a table; lines bear no spaces at their ends.
///
/// # Errors
/// As [`data`].
pub(super) fn print_table(table: &Table) -> io::Result<()> {
    data(table.trim_fmt())
}
