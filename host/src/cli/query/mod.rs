//! `gnomon query`

mod rows;

use anyhow::Context;
use clap::Args;
use reqwest::{RequestBuilder, header};

use self::rows::Rows;
use super::{client::Client, figures, output};
use crate::config::ClientOptions;

/// Read a table of a projection's read model.
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

    /// How many rows to read at most
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

    /// Print the host's answer as JSON
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
        let response = client.send(self.request(&client)).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (position, range) = (header("gnomon-position"), header("content-range"));
        let body = response.text().await.map_err(|error| client.broken(&error))?;
        let rows: Rows = client.parse(&body)?;
        if self.json {
            output::data(&body)?;
        } else if !rows.is_empty() {
            output::print_table(&rows.table())?;
        }
        let position: u64 = position.and_then(|position| position.parse().ok()).context("the host gave no position")?;
        let mut words = figures::counted(rows.len(), "row");
        if let Some((_, total)) = range.as_deref().and_then(|range| range.split_once('/')).filter(|_| self.count) {
            words += &format!(" of {total}");
        }
        output::say(format_args!("{words} at position {}", figures::count(position)));
        Ok(())
    }

    fn request(&self, client: &Client) -> RequestBuilder {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let (limit, offset) = (number(self.limit), number(self.offset));
        let mut request = client
            .get(&["v1", "read-models", &self.projection, &self.table])
            .query(&self.filters)
            .query(&[("select", &self.select), ("order", &self.order), ("limit", &limit), ("offset", &offset)])
            .header(header::ACCEPT, "application/json");
        if self.count {
            request = request.header("prefer", "count=exact");
        }
        if let Some(wait) = self.wait {
            request = request.header("prefer", format!("wait={wait}"));
        }
        if let Some(position) = self.min_position {
            request = request.header("gnomon-min-position", position);
        }
        request
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
