//! The arguments of `gnomon query`.

use clap::Args;

use crate::config::ClientOptions;

/// Read the rows of a table of a projection's read model. Without arguments, list the tables that there are.
///
/// The command waits until the read model holds the effect of the event that you have appended last to this host, with `gnomon append`
/// or `gnomon import`. If that takes longer than --wait, or if the projection has stopped, it shows the rows that there are, and a note.
///
/// The command reads all rows, page by page, unless there is a --limit. Rows are in the order of --order and then of the key. If the
/// read model changes between two pages, a message at the end says so.
#[derive(Args, Debug)]
pub(in crate::cli) struct Query {
    /// The projection [default: list the tables of all]
    #[arg(add = crate::cli::known_names::projections())]
    pub(super) projection: Option<String>,

    /// The table [default: list the tables of the projection]
    #[arg(add = crate::cli::known_names::tables())]
    pub(super) table: Option<String>,

    /// Conditions on rows, each as `column=operator.value` in PostgREST's grammar: 'carrier=eq.UA', 'arrived=gte.50',
    /// 'or=(on_time.eq.0,arrived.is.null)'
    #[arg(value_name = "FILTER", value_parser = filter)]
    pub(super) filters: Vec<(String, String)>,

    /// The columns, with commas between [default: all]
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    pub(super) select: Option<String>,

    /// The order, as `on_time.desc,carrier` [default: that of the key]
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    pub(super) order: Option<String>,

    /// Maximum rows to read [default: all]
    #[arg(long, value_name = "NUMBER", requires = "table")]
    pub(super) limit: Option<u64>,

    /// How many rows to skip
    #[arg(long, value_name = "NUMBER", requires = "table")]
    pub(super) offset: Option<u64>,

    /// Print how many rows there are in total
    #[arg(long, requires = "table")]
    pub(super) count: bool,

    /// The position of an event that the rows have to hold the effect of; if they do not in time, the command fails
    #[arg(long, value_name = "POSITION", requires = "table")]
    pub(super) min_position: Option<u64>,

    /// Maximum seconds to wait for the position of --min-position, or of what you have appended last [default: 5]
    #[arg(long, value_name = "SECONDS")]
    pub(super) wait: Option<u32>,

    /// Read the rows that there are now, without waiting for what you have appended last
    #[arg(long, conflicts_with_all = ["min_position", "wait"])]
    pub(super) no_wait: bool,

    /// Print the rows as one JSON array, each as the host gives it
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

fn filter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((option @ ("select" | "order" | "limit" | "offset"), value)) => {
            Err(format!("`{option}` is an option: --{option} {value}"))
        }
        Some((column, condition)) if !column.is_empty() => Ok((column.to_owned(), condition.to_owned())),
        _ => Err("write a filter as column=operator.value, such as carrier=eq.UA".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_has_a_column() {
        assert_eq!(filter("carrier=eq.a=b"), Ok(("carrier".to_owned(), "eq.a=b".to_owned())));
        assert_eq!(filter("limit=1"), Err("`limit` is an option: --limit 1".to_owned()));
        assert!(filter("carrier").is_err() && filter("=eq.1").is_err());
    }
}
