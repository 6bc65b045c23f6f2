//! Printing rows page by page, with no more than one page in memory.

use std::io::{self, Write};

use serde_json::value::RawValue;

use super::rows::{Columns, Rows};
use crate::{
    api::Row,
    cli::{client::Client, output},
};

/// Prints pages.
pub(super) enum Printer {
    /// As one JSON array, in the form in which a host writes a single page.
    Json {
        /// Whether a row was printed.
        begun: bool,
    },
    /// As one table. Its columns are as wide as the first page needs; a longer value further down is not cut.
    Table(Option<Columns>),
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        if json { Self::Json { begun: false } } else { Self::Table(None) }
    }

    /// Prints the rows of a page.
    pub(super) fn print(&mut self, client: &Client, body: &str) -> anyhow::Result<()> {
        match self {
            Self::Json { begun } => {
                let mut out = io::stdout().lock();
                for row in client.parse::<Vec<&RawValue>>(body)? {
                    write!(out, "{}{row}", if *begun { ", \n " } else { "[" })?;
                    *begun = true;
                }
            }
            Self::Table(columns) => {
                let rows = Rows::read(&client.parse::<Vec<Row>>(body)?)?;
                if !rows.is_empty() {
                    let (table, found) = rows.table(columns.as_ref());
                    output::print_table(&table)?;
                    columns.get_or_insert(found);
                }
            }
        }
        Ok(())
    }

    /// Ends the output. An array without this end is not JSON, so that a part is not taken for the whole.
    pub(super) fn end(self) -> io::Result<()> {
        match self {
            Self::Json { begun } => output::data(if begun { "]" } else { "[]" }),
            Self::Table(_) => Ok(()),
        }
    }
}
