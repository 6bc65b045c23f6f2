//! `gnomon query --follow`

use std::ops::ControlFlow;

use anyhow::{Context, bail};
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::Query;
use crate::cli::{
    client::Client,
    figures,
    output::{self, say},
    sse::{Listener, Message, detail, is_error, listen},
};

/// Prints the rows that match, and then each change, without end.
pub(super) async fn follow(client: &Client, query: &Query, projection: &str, table: &str) -> anyhow::Result<()> {
    listen(client, &mut Follower { query, projection, table }).await
}

struct Follower<'q> {
    query: &'q Query,
    projection: &'q str,
    table: &'q str,
}

/// A change of a row, with what the host wrote.
#[derive(Deserialize)]
struct Change<'d> {
    position: u64,
    #[serde(borrow)]
    key: &'d RawValue,
    #[serde(borrow, default)]
    row: Option<&'d RawValue>,
}

#[derive(Deserialize)]
struct Answer<'d> {
    position: u64,
    #[serde(borrow)]
    rows: &'d RawValue,
}

#[derive(Deserialize)]
struct Snapshot {
    reason: String,
}

#[derive(Deserialize)]
struct Swap {
    build: u64,
    position: u64,
}

#[derive(Deserialize)]
struct End {
    reason: String,
}

impl Listener for Follower<'_> {
    fn request(&self, client: &Client) -> RequestBuilder {
        let rows = &self.query.rows;
        let window = [("limit", rows.limit), ("offset", rows.offset)];
        let window: Vec<_> = window.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let request = client.get(&["v1", "read-models", self.projection, self.table]).query(&rows.parameters());
        let request = request.query(&window);
        let Some(position) = self.query.wait.min_position else { return request };
        let request = request.header("gnomon-min-position", position);
        match self.query.wait.wait {
            Some(seconds) => request.header("prefer", format!("wait={seconds}")),
            None => request,
        }
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>> {
        if is_error(&message) {
            bail!("{}", detail(&message));
        }
        let (Some(event), Some(data)) = (message.event.as_deref(), message.data.as_deref()) else {
            return Ok(ControlFlow::Continue(()));
        };
        // Line breaks are white space between tokens of JSON.
        let data = data.replace(['\n', '\r'], " ");
        if event == "end" {
            let End { reason } = read(&data)?;
            bail!("the query on `{}` is not followed any more: {reason}", self.projection);
        }
        if self.query.json {
            output::data(format_args!("{{\"event\":\"{event}\",{}", data.trim_start().trim_start_matches('{')))?;
            return Ok(ControlFlow::Continue(()));
        }
        match event {
            "snapshot" => match read::<Snapshot>(&data)?.reason.as_str() {
                "begin" => {}
                reason => say(format_args!("note: all rows are shown again, since changes are missing ({reason})")),
            },
            "insert" | "update" | "delete" => {
                let Change { position, key, row } = read(&data)?;
                let sign = match event {
                    "insert" => '+',
                    "update" => '~',
                    _ => '-',
                };
                output::data(format_args!("{position} {sign} {}", row.unwrap_or(key)))?;
            }
            "answer" => {
                let Answer { position, rows } = read(&data)?;
                output::data(format_args!("{position} = {rows}"))?;
            }
            "swap" => {
                let Swap { build, position } = read(&data)?;
                say(format_args!("build {build} is read from now on, at position {}", figures::count(position)));
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn read<'d, T: Deserialize<'d>>(data: &'d str) -> anyhow::Result<T> {
    serde_json::from_str(data).with_context(|| format!("the host sent an event that cannot be read: {data}"))
}
