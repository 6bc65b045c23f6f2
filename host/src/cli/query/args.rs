//! What a query asks for.

use clap::Args;

use crate::config::ClientOptions;

/// Read a table of a projection's read model, all of its rows unless --limit says otherwise.
///
/// The rows come in pages, in the order of --order and of the key, and are printed as they come. If the read model moves on in
/// between, that is said at the end.
#[derive(Args, Debug)]
pub(in crate::cli) struct Query {
    /// The projection
    pub(super) projection: String,

    /// The table
    pub(super) table: String,

    /// What rows must be, each as `column=operator.value` in PostgREST's grammar: 'carrier=eq.UA', 'arrived=gte.50',
    /// 'or=(on_time.eq.0,arrived.is.null)'
    #[arg(value_name = "FILTER", value_parser = filter)]
    pub(super) filters: Vec<(String, String)>,

    /// The columns, with commas between [default: all]
    #[arg(long, value_name = "COLUMNS")]
    pub(super) select: Option<String>,

    /// The order, as `on_time.desc,carrier` [default: that of the key]
    #[arg(long, value_name = "COLUMNS")]
    pub(super) order: Option<String>,

    /// How many rows to read at most [default: all]
    #[arg(long, value_name = "NUMBER")]
    pub(super) limit: Option<u64>,

    /// How many rows to pass over
    #[arg(long, value_name = "NUMBER")]
    pub(super) offset: Option<u64>,

    /// Say how many rows there are in all
    #[arg(long)]
    pub(super) count: bool,

    /// Wait until the read model holds the effect of the event at this position
    #[arg(long, value_name = "POSITION")]
    pub(super) min_position: Option<u64>,

    /// How many seconds to wait for it at most [default: 5]
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
        _ => Err("a filter is written column=operator.value, as carrier=eq.UA".to_owned()),
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
