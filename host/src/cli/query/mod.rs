//! `gnomon query`

mod args;
mod first_page;
mod follow;
mod list;
mod pages;
mod past;
mod print;
mod rows;

use anyhow::Context;

pub(super) use self::{
    args::{Query, Rows, Wait},
    past::Past,
};
use self::{
    pages::{PageState, Pages},
    print::Printer,
};
use super::{client::Client, figures, output};

impl Query {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (Some(projection), Some(table)) = (&self.projection, &self.table) else {
            return list::list(&client, self.projection.as_deref(), self.json).await;
        };
        if self.follow {
            return follow::follow(&client, &self, projection, table).await;
        }
        let mut pages = Pages::new(&client, &self, projection, table);
        let mut printer = Printer::new(self.json);
        while let Some(page) = pages.next().await? {
            printer.print(&client, &page.body)?;
        }
        printer.end()?;
        let (first, last) = pages.states.context("the answer of the host has no position")?;
        let mut rows = figures::counted(pages.read, "row");
        if let Some(total) = &pages.total {
            rows += &format!(" of {total}");
        }
        let version = last.version.filter(|_| self.past.as_of.is_some());
        let made_by = version.map(|version| format!(", as version {version} makes them")).unwrap_or_default();
        output::say(format_args!("{rows} at position {}{made_by}", figures::count(last.position)));
        if first != last {
            output::say(changed_between_pages(first, last, projection, table, pages.counts_rows));
        }
        Ok(())
    }
}

/// The warning that the pages are not of the same position and the same build.
fn changed_between_pages(
    first: PageState,
    last: PageState,
    projection: &str,
    table: &str,
    pages_count_rows: bool,
) -> String {
    let change = match (first.build, last.build) {
        (Some(before), Some(now)) if before != now => {
            format!("build {now} has become the active one since the first page was read, which is of build {before}")
        }
        _ => format!("the read model was at position {} when the first page was read", figures::count(first.position)),
    };
    let what_holds = match pages_count_rows {
        true => "Rows that were added or removed since can make others be missing or appear twice",
        false => {
            "Each page is as the rows were when it was read: one that has got another place in the order since can be missing or appear \
             twice, and no other row is missing or appears twice"
        }
    };
    format!(
        "warning: {change}. {what_holds}. To read all rows at one position, run the query again while nothing changes, or read \
         `read_models.{projection}_{table}` with SQL"
    )
}
