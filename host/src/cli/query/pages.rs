//! The pages of a table.

use anyhow::Context;
use reqwest::{RequestBuilder, header};

use super::args::Query;
use crate::{api::Row, cli::client::Client};

/// Rows of a page: the most that a host gives by default.
const PAGE: u64 = 10_000;

/// The pages of a query, one after the other, in the order of the query and the key.
pub(super) struct Pages<'q> {
    client: &'q Client,
    query: &'q Query,
    /// Rows that were read.
    pub(super) read: u64,
    /// The names of the columns, as the first row has them.
    columns: Option<Vec<String>>,
    /// The position of the first page, and that of the last one.
    pub(super) positions: Option<(u64, u64)>,
    /// The total number of rows, with --count.
    pub(super) total: Option<String>,
    ended: bool,
}

/// A page, as the host wrote it.
pub(super) struct RowPage {
    pub(super) body: String,
}

impl<'q> Pages<'q> {
    pub(super) fn new(client: &'q Client, query: &'q Query) -> Self {
        Self { client, query, read: 0, columns: None, positions: None, total: None, ended: false }
    }

    /// The next page; `None` at the end. There is always a first page, even without rows.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<RowPage>> {
        if self.ended {
            return Ok(None);
        }
        let page = self.fetch().await;
        if self.read == 0 {
            return page.map(Some);
        }
        let read = self.read;
        page.map(Some)
            .with_context(|| format!("the rows are not complete: the page after {read} rows could not be read"))
    }

    async fn fetch(&mut self) -> anyhow::Result<RowPage> {
        let wanted = self.query.limit.map_or(PAGE, |limit| PAGE.min(limit - self.read));
        let response = self.client.send(self.request(wanted)).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let number = |name: &str| header(name).and_then(|number| number.parse::<u64>().ok());
        let position = number("gnomon-position").context("the answer of the host has no position")?;
        let max_rows = number("gnomon-max-rows");
        if self.query.count && self.positions.is_none() {
            self.total = header("content-range").and_then(|range| Some(range.split_once('/')?.1.to_owned()));
        }
        self.positions = Some((self.positions.map_or(position, |(first, _)| first), position));
        let body = response.text().await.map_err(|error| self.client.connection_error(&error))?;
        let rows: Vec<Row> = self.client.parse(&body)?;
        if let Some(row) = rows.first() {
            self.check_columns(row)?;
        }
        let found = rows.len() as u64;
        self.read += found;
        // A host that does not tell the most rows of a page is read until a page is empty.
        self.ended = found == 0
            || self.query.limit.is_some_and(|limit| self.read >= limit)
            || max_rows.is_some_and(|max_rows| found < wanted.min(max_rows));
        Ok(RowPage { body })
    }

    /// Checks that no other version, with other columns, has become active between two pages.
    fn check_columns(&mut self, row: &Row) -> anyhow::Result<()> {
        let columns: Vec<String> = row.cells()?.into_iter().map(|(name, _)| name).collect();
        match &self.columns {
            Some(first) if *first != columns => {
                anyhow::bail!(
                    "the table has other columns now, since another version was activated; run the query again"
                )
            }
            Some(_) => Ok(()),
            None => {
                self.columns = Some(columns);
                Ok(())
            }
        }
    }

    fn request(&self, limit: u64) -> RequestBuilder {
        let query = self.query;
        let offset = query.offset.unwrap_or_default() + self.read;
        let offset = (offset > 0).then(|| offset.to_string());
        let mut request = self
            .client
            .get(&["v1", "read-models", &query.projection, &query.table])
            .query(&query.filters)
            .query(&[("select", &query.select), ("order", &query.order), ("offset", &offset)])
            .query(&[("limit", limit)])
            .header(header::ACCEPT, "application/json");
        if self.positions.is_some() {
            return request;
        }
        if query.count {
            request = request.header("prefer", "count=exact");
        }
        if let Some(wait) = query.wait {
            request = request.header("prefer", format!("wait={wait}"));
        }
        if let Some(position) = query.min_position {
            request = request.header("gnomon-min-position", position);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, extract::State, http::Uri, routing::get};
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        query: Query,
    }

    /// A host that answers with these pages, by the offset of the request. Each has a position and rows.
    async fn host(max_rows: Option<u64>, pages: &'static [(u64, &'static [&'static str])]) -> String {
        type Pages = Arc<(Option<u64>, &'static [(u64, &'static [&'static str])])>;
        async fn page(State(pages): State<Pages>, uri: Uri) -> ([(&'static str, String); 2], String) {
            let query = uri.query().unwrap_or_default();
            let offset =
                query.split('&').find_map(|part| part.strip_prefix("offset=")).map_or(0, |at| at.parse().unwrap());
            let mut begin = 0;
            let page = pages.1.iter().find(|(_, rows)| {
                begin += rows.len();
                begin > offset
            });
            let (position, rows) = page.copied().unwrap_or((pages.1.last().unwrap().0, &[]));
            let max_rows = pages.0.map(|max_rows| max_rows.to_string()).unwrap_or_default();
            (
                [("gnomon-position", position.to_string()), ("gnomon-max-rows", max_rows)],
                format!("[{}]", rows.join(", \n ")),
            )
        }
        let router = Router::new().fallback(get(page)).with_state(Arc::new((max_rows, pages)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// Rows and positions of all pages, or the error.
    async fn read(url: &str) -> Result<(u64, (u64, u64)), String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let query = Command::parse_from(["query", "bank", "accounts", "--url", url]).query;
        let client = Client::of(url).unwrap();
        let mut pages = Pages::new(&client, &query);
        while pages.next().await.map_err(|error| format!("{error:#}"))?.is_some() {}
        Ok((pages.read, pages.positions.unwrap()))
    }

    #[tokio::test]
    async fn a_read_model_that_changes_between_pages_is_noticed() {
        let url = host(Some(2), &[(5, &[r#"{"k":1}"#, r#"{"k":2}"#]), (9, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&url).await, Ok((3, (5, 9))));
    }

    #[tokio::test]
    async fn pages_of_unknown_length_are_read_to_the_end() {
        let url = host(None, &[(5, &[r#"{"k":1}"#, r#"{"k":2}"#]), (5, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&url).await, Ok((3, (5, 5))));
    }

    #[tokio::test]
    async fn another_version_between_two_pages_is_an_error() {
        let url = host(Some(1), &[(5, &[r#"{"k":1}"#]), (5, &[r#"{"k":2,"n":1}"#])]).await;
        let error = read(&url).await.unwrap_err();
        assert_eq!(
            error,
            "the rows are not complete: the page after 1 rows could not be read: the table has other columns now, since another \
             version was activated; run the query again"
        );
    }
}
