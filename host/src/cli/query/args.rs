//! The arguments of `gnomon query`.

use clap::Args;

use crate::config::ClientOptions;

/// Read the rows of a table of a projection's read model.
///
/// The command reads all rows, page by page, unless there is a --limit. Rows are in the order of --order and then of the key. If the
/// read model changes between two pages, a message at the end says so.
#[derive(Args, Debug)]
pub(in crate::cli) struct Query {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    pub(super) projection: String,

    /// The table
    #[arg(add = crate::cli::known_names::tables())]
    pub(super) table: String,

    /// Conditions on rows, each as `column=operator.value` in PostgREST's grammar: 'carrier=eq.UA', 'arrived=gte.50',
    /// 'or=(on_time.eq.0,arrived.is.null)'
    #[arg(value_name = "FILTER", value_parser = filter)]
    pub(super) filters: Vec<(String, String)>,

    /// The columns, with commas between [default: all]
    #[arg(long, value_name = "COLUMNS")]
    pub(super) select: Option<String>,

    /// The order, as `on_time.desc,carrier` [default: that of the key]
    #[arg(long, value_name = "COLUMNS")]
    pub(super) order: Option<String>,

    /// Maximum rows to read [default: all]
    #[arg(long, value_name = "NUMBER")]
    pub(super) limit: Option<u64>,

    /// How many rows to skip
    #[arg(long, value_name = "NUMBER")]
    pub(super) offset: Option<u64>,

    /// Print how many rows there are in total
    #[arg(long)]
    pub(super) count: bool,

    /// Wait until the read model holds the effect of the event at this position
    #[arg(long, value_name = "POSITION")]
    pub(super) min_position: Option<u64>,

    /// Maximum seconds to wait for --min-position [default: 5]
    #[arg(long, value_name = "SECONDS", requires = "min_position")]
    pub(super) wait: Option<u32>,

    /// Print the rows as one JSON array, each as the host gives it
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

fn filter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
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
        assert!(filter("carrier").is_err() && filter("=eq.1").is_err());
    }
}
