//! `gnomon query`

mod pages;
mod print;
mod rows;

use anyhow::Context;
use clap::Args;

use self::{pages::Pages, print::Printer};
use super::{client::Client, figures, output};
use crate::config::ClientOptions;

/// Read a table of a projection's read model, all of its rows unless --limit says otherwise.
///
/// The rows come in pages, in the order of --order and of the key, and are printed as they come. If the read model moves on in
/// between, that is said at the end.
#[derive(Args, Debug)]
pub(super) struct Query {
    /// The projection
    projection: String,

    /// The table
    table: String,

    /// What rows must be, each as `column=operator.value` in PostgREST's grammar: 'carrier=eq.UA', 'arrived=gte.50',
    /// 'or=(on_time.eq.0,arrived.is.null)'
    #[arg(value_name = "FILTER", value_parser = filter)]
    filters: Vec<(String, String)>,

    /// The columns, with commas between [default: all]
    #[arg(long, value_name = "COLUMNS")]
    select: Option<String>,

    /// The order, as `on_time.desc,carrier` [default: that of the key]
    #[arg(long, value_name = "COLUMNS")]
    order: Option<String>,

    /// How many rows to read at most [default: all]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// How many rows to pass over
    #[arg(long, value_name = "NUMBER")]
    offset: Option<u64>,

    /// Say how many rows there are in all
    #[arg(long)]
    count: bool,

    /// Wait until the read model holds the effect of the event at this position
    #[arg(long, value_name = "POSITION")]
    min_position: Option<u64>,

    /// How many seconds to wait for it at most [default: 5]
    #[arg(long, value_name = "SECONDS", requires = "min_position")]
    wait: Option<u32>,

    /// Print the rows as one JSON array, each as the host gives it
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

fn filter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, condition)) if !column.is_empty() => Ok((column.to_owned(), condition.to_owned())),
        _ => Err("a filter is written column=operator.value, as carrier=eq.UA".to_owned()),
    }
}

impl Query {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let mut pages = Pages::new(&client, &self);
        let mut printer = Printer::new(self.json);
        while let Some(page) = pages.next().await? {
            printer.print(&client, &page.body)?;
        }
        printer.end()?;
        let (first, last) = pages.positions.context("the host gave no position")?;
        let mut words = figures::counted(pages.read, "row");
        if let Some(total) = &pages.total {
            words += &format!(" of {total}");
        }
        output::say(format_args!("{words} at position {}", figures::count(last)));
        if first != last {
            output::say(self.moved_on(first));
        }
        Ok(())
    }

    /// What it means that the pages are not of one position.
    fn moved_on(&self, first: u64) -> String {
        format!(
            "the read model moved on from position {} while its pages were read: where rows came or went in between, others may \
             be missing or be there twice. To have all as of one position, ask again while it stands still, or read \
             `read_models.{}_{}` with SQL",
            figures::count(first),
            self.projection,
            self.table,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_a_column() {
        assert_eq!(filter("carrier=eq.a=b"), Ok(("carrier".to_owned(), "eq.a=b".to_owned())));
        assert!(filter("carrier").is_err() && filter("=eq.1").is_err());
    }
}
