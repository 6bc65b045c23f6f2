//! The pages of a table.

use anyhow::Context;
use reqwest::{RequestBuilder, header};

use super::{args::Query, past::Past};
use crate::{
    api::Row,
    cli::client::{Client, ClientError},
};

/// Rows of a page: the most that a host gives by default.
const PAGE: u64 = 10_000;
/// The code of a host that has no cursor after a page: the values that its last row is ordered by are too long for one.
const NO_CURSOR: &str = "PGRST100";

/// The pages of a query, one after the other, in the order of the query and the key. Each begins after the last row of the one before, if the
/// host tells where that is, and else after as many rows as were read.
pub(super) struct Pages<'q> {
    client: &'q Client,
    query: &'q Query,
    projection: &'q str,
    table: &'q str,
    /// Rows to ask for at once: fewer where they are large.
    page: u64,
    /// Rows that were read.
    pub(super) read: u64,
    /// The cursor of the next page, if the last one had it.
    next: Option<String>,
    /// Whether a page was found by the number of rows before it, which others change by what they write.
    pub(super) counts_rows: bool,
    /// The names of the columns, as the first row has them.
    columns: Option<Vec<String>>,
    /// What the first page shows, and what the last one that differs from it.
    pub(super) states: Option<(PageState, PageState)>,
    /// The total number of rows, with --count.
    pub(super) total: Option<String>,
    ended: bool,
}

/// The state of the read model that a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageState {
    pub(super) position: u64,
    /// The active build, if the host tells it.
    pub(super) build: Option<u64>,
    /// The version of the projection that made the rows, if the host tells it.
    pub(super) version: Option<u64>,
}

/// A page, as the host wrote it.
pub(super) struct RowPage {
    pub(super) body: String,
}

impl<'q> Pages<'q> {
    pub(super) fn new(client: &'q Client, query: &'q Query, projection: &'q str, table: &'q str) -> Self {
        Self {
            client,
            query,
            projection,
            table,
            page: PAGE,
            read: 0,
            next: None,
            counts_rows: false,
            columns: None,
            states: None,
            total: None,
            ended: false,
        }
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
        let mut wanted = self.query.rows.limit.map_or(self.page, |limit| self.page.min(limit - self.read));
        let response = loop {
            let request = || self.request(wanted);
            let answer = match self.states {
                None => self.query.wait.first(self.client, self.projection, &self.query.past, request).await,
                // The build that shows the past may have been retired since the page before, and is made again.
                Some(_) if self.query.past.as_of.is_some() => {
                    Past::first(self.client, self.query.wait.wait, request).await
                }
                Some(_) => self.client.send(request()).await.map_err(Into::into),
            };
            match answer {
                Err(error) if wanted > 1 && is_too_large(&error) => {
                    wanted /= 2;
                    self.page = wanted;
                }
                Err(error) if self.next.is_some() && has_code(&error, NO_CURSOR) => self.next = None,
                answer => break answer?,
            }
        };
        self.counts_rows |= self.states.is_some() && self.next.is_none();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let number = |name: &str| header(name).and_then(|number| number.parse::<u64>().ok());
        let position = number("gnomon-position").context("the answer of the host has no position")?;
        let max_rows = number("gnomon-max-rows");
        self.next = header("gnomon-next").filter(|next| !next.is_empty());
        let state = PageState { position, build: number("gnomon-build"), version: number("gnomon-version") };
        if self.query.count && self.states.is_none() {
            self.total = header("content-range").and_then(|range| Some(range.split_once('/')?.1.to_owned()));
        }
        self.states = Some(match self.states {
            None => (state, state),
            // A swap and a rollback between two pages: the page between them is of another build.
            Some((first, last)) if state == first => (first, last),
            Some((first, _)) => (first, state),
        });
        let body = response.text().await.map_err(|error| self.client.connection_error(&error))?;
        let rows: Vec<Row> = self.client.parse(&body)?;
        if let Some(row) = rows.first() {
            self.check_columns(row)?;
        }
        let found = rows.len() as u64;
        self.read += found;
        // A host that does not tell the most rows of a page is read until a page is empty.
        self.ended = found == 0
            || self.query.rows.limit.is_some_and(|limit| self.read >= limit)
            || (self.next.is_none() && max_rows.is_some_and(|max_rows| found < wanted.min(max_rows)));
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

    /// The moment of the past, if it is one: of pages that follow another, the one of that, however the user has named it.
    fn moment(&self) -> [(&'static str, Option<String>); 2] {
        match (&self.query.past.as_of, self.states) {
            (Some(_), Some((PageState { position, version, .. }, _))) => {
                [("as_of", Some(position.to_string())), ("version", version.map(|version| version.to_string()))]
            }
            _ => self.query.past.parameters(),
        }
    }

    fn request(&self, limit: u64) -> RequestBuilder {
        let query = self.query;
        let rows = &query.rows;
        let before = match self.next {
            Some(_) => 0,
            None => rows.offset.unwrap_or_default() + self.read,
        };
        let offset = (before > 0).then(|| before.to_string());
        let mut request = self
            .client
            .get(&["v1", "read-models", self.projection, self.table])
            .query(&rows.parameters())
            .query(&[("offset", &offset), ("cursor", &self.next)])
            .query(&[("limit", limit)])
            .query(&self.moment())
            .header(header::ACCEPT, "application/json");
        if query.count && self.states.is_none() {
            request = request.header("prefer", "count=exact");
        }
        request
    }
}

/// Whether the host says that the page would be too large.
fn is_too_large(error: &anyhow::Error) -> bool {
    has_code(error, "answer_too_large")
}

/// Whether the host has refused the request with this code.
fn has_code(error: &anyhow::Error, code: &str) -> bool {
    matches!(error.downcast_ref(), Some(ClientError::Refused(problem)) if problem.code() == code)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{
        Router,
        extract::State,
        http::{StatusCode, Uri},
        routing::get,
    };
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        query: Query,
    }

    /// Position, build and rows of a page.
    type Shown = (u64, u64, &'static [&'static str]);

    /// A host that answers with these pages, by the offset of the request.
    async fn host(max_rows: Option<u64>, pages: &'static [Shown]) -> String {
        type Pages = Arc<(Option<u64>, &'static [Shown])>;
        async fn page(State(pages): State<Pages>, uri: Uri) -> ([(&'static str, String); 3], String) {
            let query = uri.query().unwrap_or_default();
            let offset =
                query.split('&').find_map(|part| part.strip_prefix("offset=")).map_or(0, |at| at.parse().unwrap());
            let mut begin = 0;
            let page = pages.1.iter().find(|(_, _, rows)| {
                begin += rows.len();
                begin > offset
            });
            let last = pages.1.last().unwrap();
            let (position, build, rows) = page.copied().unwrap_or((last.0, last.1, &[]));
            let max_rows = pages.0.map(|max_rows| max_rows.to_string()).unwrap_or_default();
            (
                [
                    ("gnomon-position", position.to_string()),
                    ("gnomon-build", build.to_string()),
                    ("gnomon-max-rows", max_rows),
                ],
                format!("[{}]", rows.join(", \n ")),
            )
        }
        let router = Router::new().fallback(get(page)).with_state(Arc::new((max_rows, pages)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// Rows of all pages, with position and build of the first and the last, or the error.
    async fn read(url: &str) -> Result<(u64, (u64, u64), (u64, u64)), String> {
        read_with(url, &["--no-wait"]).await
    }

    async fn read_with(url: &str, options: &[&str]) -> Result<(u64, (u64, u64), (u64, u64)), String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let query = Command::parse_from([&["query", "bank", "accounts", "--url", url], options].concat()).query;
        let client = Client::of(url).unwrap();
        let mut pages = Pages::new(&client, &query, "bank", "accounts");
        while pages.next().await.map_err(|error| format!("{error:#}"))?.is_some() {}
        let (first, last) = pages.states.unwrap();
        Ok((pages.read, (first.position, first.build.unwrap()), (last.position, last.build.unwrap())))
    }

    #[tokio::test]
    async fn a_read_model_that_changes_between_pages_is_noticed() {
        let url = host(Some(2), &[(5, 4, &[r#"{"k":1}"#, r#"{"k":2}"#]), (9, 4, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&url).await, Ok((3, (5, 4), (9, 4))));
    }

    #[tokio::test]
    async fn a_swap_between_pages_is_noticed_at_the_same_position_too() {
        let url = host(Some(2), &[(5, 4, &[r#"{"k":1}"#, r#"{"k":2}"#]), (5, 7, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&url).await, Ok((3, (5, 4), (5, 7))));
        let back = host(Some(1), &[(5, 4, &[r#"{"k":1}"#]), (5, 7, &[r#"{"k":2}"#]), (5, 4, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&back).await, Ok((3, (5, 4), (5, 7))));
        let state = |build| PageState { position: 5, build: Some(build), version: None };
        let warning = super::super::changed_between_pages(state(4), state(7), "bank", "accounts", true);
        let begin = "warning: build 7 has become the active one since the first page was read, which is of build 4.";
        assert!(warning.starts_with(begin) && warning.contains("missing or appear twice"), "{warning}");
        let by_cursors = super::super::changed_between_pages(state(4), state(7), "bank", "accounts", false);
        assert!(by_cursors.starts_with(begin) && by_cursors.contains("no other row is missing"), "{by_cursors}");
    }

    #[tokio::test]
    async fn pages_of_unknown_length_are_read_to_the_end() {
        let url = host(None, &[(5, 4, &[r#"{"k":1}"#, r#"{"k":2}"#]), (5, 4, &[r#"{"k":3}"#])]).await;
        assert_eq!(read(&url).await, Ok((3, (5, 4), (5, 4))));
    }

    #[tokio::test]
    async fn another_version_between_two_pages_is_an_error() {
        let url = host(Some(1), &[(5, 4, &[r#"{"k":1}"#]), (5, 7, &[r#"{"k":2,"n":1}"#])]).await;
        let error = read(&url).await.unwrap_err();
        assert_eq!(
            error,
            "the rows are not complete: the page after 1 rows could not be read: the table has other columns now, since another \
             version was activated; run the query again"
        );
    }

    #[tokio::test]
    async fn large_rows_are_read_in_smaller_pages() {
        async fn page(uri: Uri) -> (StatusCode, [(&'static str, &'static str); 3], String) {
            let query = uri.query().unwrap_or_default();
            let number = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok());
            let (limit, offset) = (number("limit=").unwrap(), number("offset=").unwrap_or(0));
            let headers = [("gnomon-position", "5"), ("gnomon-build", "4"), ("gnomon-max-rows", "10000")];
            if limit > 3 {
                let problem = r#"{"code": "answer_too_large", "detail": "the answer is too large"}"#;
                return (StatusCode::PAYLOAD_TOO_LARGE, headers, problem.to_owned());
            }
            let rows: Vec<_> = (offset..7.min(offset + limit)).map(|number| format!("{{\"k\":{number}}}")).collect();
            (StatusCode::OK, headers, format!("[{}]", rows.join(", \n ")))
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(get(page))).await });
        assert_eq!(read(&url).await, Ok((7, (5, 4), (5, 4))));
    }

    /// A host whose past build is retired after the first page, and is being made again when the second one is asked for first.
    #[tokio::test]
    async fn a_past_build_that_is_made_again_between_two_pages_is_waited_for() {
        async fn page(State(asked): State<Arc<Mutex<u32>>>) -> (StatusCode, [(&'static str, &'static str); 3], String) {
            let headers = [("gnomon-position", "5"), ("gnomon-build", "4"), ("gnomon-max-rows", "1")];
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            match *asked {
                2 => {
                    let made = r#"{"past_build": 2, "projection": "bank", "version": 1, "upcasters": [], "position": 5, "state": "replaying",
                        "checkpoint": 3, "events_per_second": 0, "seconds_left": null, "error": null, "waits_for": null, "dead_letters": 0,
                        "bytes": 0, "created_at": "2026-05-01T00:00:00Z", "asked_at": "2026-05-01T00:00:00Z"}"#;
                    (StatusCode::ACCEPTED, [("retry-after", "1"), ("x", ""), ("y", "")], made.to_owned())
                }
                4 => (StatusCode::OK, headers, "[]".to_owned()),
                number => (StatusCode::OK, headers, format!("[{{\"k\":{number}}}]")),
            }
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(get(page)).with_state(Arc::default());
        tokio::spawn(async move { axum::serve(listener, router).await });
        assert_eq!(read_with(&url, &["--as-of", "5"]).await, Ok((2, (5, 4), (5, 4))));
    }

    /// A host with seven rows and pages of two, which gives cursors. After the row `5` it has none, and says so if a page was asked for by one.
    async fn host_with_cursors() -> (String, Arc<Mutex<Vec<String>>>) {
        type Asked = Arc<Mutex<Vec<String>>>;
        async fn page(State(asked): State<Asked>, uri: Uri) -> (StatusCode, [(&'static str, String); 3], String) {
            let query = uri.query().unwrap_or_default();
            let parameter = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
            let (after, offset) = (parameter("cursor="), parameter("offset="));
            asked.lock().unwrap().push(format!("{after:?} {offset:?}"));
            let headers = |next: &str| {
                [
                    ("gnomon-position", "5".to_owned()),
                    ("gnomon-max-rows", "2".to_owned()),
                    ("gnomon-next", next.to_owned()),
                ]
            };
            let begin: u64 = match (&after, &offset) {
                (Some(after), None) => after.strip_prefix("after").unwrap().parse().unwrap(),
                (None, Some(offset)) => offset.parse().unwrap(),
                (None, None) => 0,
                _ => panic!("{query}"),
            };
            let numbers: Vec<u64> = (begin + 1..=7.min(begin + 2)).collect();
            let rows: Vec<_> = numbers.iter().map(|number| format!("{{\"k\":{number}}}")).collect();
            let last = numbers.last().copied().filter(|_| numbers.len() == 2 && offset.is_none());
            if last == Some(6) {
                let problem = r#"{"code": "PGRST100", "message": "the query has no cursor"}"#;
                return (StatusCode::BAD_REQUEST, headers(""), problem.to_owned());
            }
            let next = last.map(|last| format!("after{last}")).unwrap_or_default();
            (StatusCode::OK, headers(&next), format!("[{}]", rows.join(", \n ")))
        }
        let asked = Asked::default();
        let router = Router::new().fallback(get(page)).with_state(Arc::clone(&asked));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, asked)
    }

    #[tokio::test]
    async fn pages_follow_the_cursors_of_the_host_as_far_as_there_are_any() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (url, asked) = host_with_cursors().await;
        let query = Command::parse_from(["query", "bank", "accounts", "--no-wait", "--url", &url]).query;
        let client = Client::of(&url).unwrap();
        let mut pages = Pages::new(&client, &query, "bank", "accounts");
        let mut by_rows = Vec::new();
        while pages.next().await.unwrap().is_some() {
            by_rows.push((pages.read, pages.counts_rows));
        }
        assert_eq!(by_rows, [(2, false), (4, false), (6, true), (7, true)]);
        let expected =
            ["None None", r#"Some("after2") None"#, r#"Some("after4") None"#, r#"None Some("4")"#, r#"None Some("6")"#];
        assert_eq!(*asked.lock().unwrap(), expected);
    }
}
