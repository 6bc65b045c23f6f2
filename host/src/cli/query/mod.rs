//! `gnomon query`

mod args;
mod pages;
mod print;
mod rows;

use anyhow::Context;

pub(super) use self::args::Query;
use self::{pages::Pages, print::Printer};
use super::{client::Client, figures, output};

impl Query {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
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
