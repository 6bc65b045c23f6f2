//! The arguments of `gnomon query`.

use clap::Args;

use super::past::Past;
use crate::config::ClientOptions;

/// Read the rows of a table of a projection's read model. Without arguments, list the tables that there are.
///
/// The command waits until the read model holds the effect of the event that you have appended last to this host, with `gnomon append`
/// or `gnomon import`. If that takes longer than --wait, or if the projection has stopped, it shows the rows that there are, and a note.
///
/// The command reads all rows, page by page, unless there is a --limit. Rows are in the order of --order and then of the key. Each page
/// begins after the last row of the one before, so that no row is missing or appears twice because others are added or removed meanwhile. The
/// host cannot tell where a page ends with --offset, with aggregates, in an order by ranks or by embedded tables, and after values that are
/// too long: there, pages are found by the number of rows before them. If the read model changes between two pages, a message at the end
/// says so.
///
/// With --as-of, the rows are those of a moment of the past, and nothing of the above is waited for.
#[derive(Args, Debug)]
#[command(disable_version_flag = true)]
pub(in crate::cli) struct Query {
    /// The projection [default: list the tables of all]
    #[arg(add = crate::cli::known_names::projections())]
    pub(super) projection: Option<String>,

    /// The table [default: list the tables of the projection]
    #[arg(add = crate::cli::known_names::tables())]
    pub(super) table: Option<String>,

    #[command(flatten)]
    pub(super) rows: Rows,

    /// Print how many rows there are in total
    #[arg(long, requires = "table")]
    pub(super) count: bool,

    /// Print the rows that match, and then each change as it is committed, with its position: `+` a row that matches now, `~` one that has
    /// changed, `-` the key of one that does not match any more, and `=` the whole answer of a query with aggregates
    #[arg(long, requires = "table", conflicts_with_all = ["count", "as_of"])]
    pub(super) follow: bool,

    #[command(flatten)]
    pub(super) wait: Wait,

    #[command(flatten)]
    pub(super) past: Past,

    /// Print the rows as one JSON array, each as the host gives it; with --follow, each event as a line of JSON
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

/// Which rows of a table are read.
#[derive(Args, Debug)]
pub(in crate::cli) struct Rows {
    /// Conditions on rows, each as `column=operator.value` in PostgREST's grammar: 'carrier=eq.UA', 'arrived=gte.50',
    /// 'or=(on_time.eq.0,arrived.is.null)'
    #[arg(value_name = "FILTER", value_parser = filter)]
    filters: Vec<(String, String)>,

    /// The columns, with commas between [default: all]
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    select: Option<String>,

    /// The order, as `on_time.desc,carrier`; the key completes it
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    order: Option<String>,

    /// Maximum rows to read [default: all]
    #[arg(long, value_name = "NUMBER", requires = "table")]
    pub(in crate::cli) limit: Option<u64>,

    /// How many rows to skip
    #[arg(long, value_name = "NUMBER", requires = "table")]
    pub(in crate::cli) offset: Option<u64>,
}

/// What the rows have to hold.
#[derive(Args, Debug)]
pub(in crate::cli) struct Wait {
    /// The position of an event that the rows have to hold the effect of; if they do not in time, the command fails
    #[arg(long, value_name = "POSITION", requires = "table")]
    pub(super) min_position: Option<u64>,

    /// Maximum seconds to wait for the position of --min-position, or of what you have appended last [default: 5]
    #[arg(long, value_name = "SECONDS")]
    pub(super) wait: Option<u32>,

    /// Read the rows that there are now, without waiting for what you have appended last
    #[arg(long, conflicts_with_all = ["min_position", "wait"])]
    pub(super) no_wait: bool,
}

fn filter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((option @ ("select" | "order" | "limit" | "offset"), value)) => {
            Err(format!("`{option}` is an option: --{option} {value}"))
        }
        Some((option @ ("as_of" | "version"), value))
            if !value.contains('.') || value.starts_with(|first: char| first.is_ascii_digit()) =>
        {
            Err(format!("`{option}` is an option: --{} {value}", option.replace('_', "-")))
        }
        // With a point in its value it is a filter on a column of this name.
        Some(("cursor", value)) if !value.contains('.') => {
            Err("the command follows the cursors of pages by itself; --limit says how many rows it reads".to_owned())
        }
        Some((column, condition)) if !column.is_empty() => Ok((column.to_owned(), condition.to_owned())),
        _ => Err("write a filter as column=operator.value, such as carrier=eq.UA".to_owned()),
    }
}

impl Rows {
    /// The parameters of a request, without the window of rows.
    pub(in crate::cli) fn parameters(&self) -> Vec<(&str, &str)> {
        let filters = self.filters.iter().map(|(column, condition)| (column.as_str(), condition.as_str()));
        let named = [("select", &self.select), ("order", &self.order)];
        filters.chain(named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_a_column() {
        assert_eq!(filter("carrier=eq.a=b"), Ok(("carrier".to_owned(), "eq.a=b".to_owned())));
        assert_eq!(filter("limit=1"), Err("`limit` is an option: --limit 1".to_owned()));
        assert_eq!(filter("as_of=7"), Err("`as_of` is an option: --as-of 7".to_owned()));
        assert!(filter("as_of=2026-05-01T00:00:00.5Z").is_err() && filter("version=3").is_err());
        assert_eq!(filter("version=eq.3"), Ok(("version".to_owned(), "eq.3".to_owned())));
        assert_eq!(filter("cursor=eq.7"), Ok(("cursor".to_owned(), "eq.7".to_owned())));
        assert!(filter("cursor=eyJ2").unwrap_err().starts_with("the command follows the cursors"));
        assert!(filter("carrier").is_err() && filter("=eq.1").is_err());
    }
}
