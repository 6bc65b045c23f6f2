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
        let (first, last) = pages.positions.context("the answer of the host has no position")?;
        let mut rows = figures::counted(pages.read, "row");
        if let Some(total) = &pages.total {
            rows += &format!(" of {total}");
        }
        output::say(format_args!("{rows} at position {}", figures::count(last)));
        if first != last {
            output::say(self.changed_between_pages(first));
        }
        Ok(())
    }

    /// The warning that the pages are not of the same position.
    fn changed_between_pages(&self, first: u64) -> String {
        format!(
            "warning: the read model was at position {} when the first page was read. Rows that were added or removed since can make \
             others be missing or appear twice. To read all rows at one position, run the query again while no events come, or read \
             `read_models.{}_{}` with SQL",
            figures::count(first),
            self.projection,
            self.table,
        )
    }
}
