//! Rows of the past: the command waits until the host has made them.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::{
    api::PastBuild,
    cli::{client::Client, figures, progress::Progress},
};

/// The longest that one request waits, so that the user sees how far the host is.
const REQUEST_SECONDS: u64 = 1;

/// Which moment of the past the rows are of.
#[derive(Args, Debug)]
pub(in crate::cli) struct Past {
    /// Read the rows as they were at this position of the log, or at this instant, such as 2026-05-01T00:00:00Z; the host makes them, which takes as
    /// long as a replay up to there
    #[arg(long, value_name = "MOMENT", requires = "table", conflicts_with_all = ["min_position", "no_wait"])]
    pub(in crate::cli) as_of: Option<String>,

    /// The version of the projection whose logic shows the past [default: that of the active build]
    #[arg(long = "version", value_name = "NUMBER", requires = "as_of")]
    pub(in crate::cli) of_version: Option<u32>,
}

impl Past {
    /// The parameters of a request.
    pub(in crate::cli) fn parameters(&self) -> [(&'static str, Option<String>); 2] {
        [("as_of", self.as_of.clone()), ("version", self.of_version.map(|version| version.to_string()))]
    }

    /// Sends a request until its answer has rows; for so many seconds, if the user has a limit.
    pub(super) async fn first(
        client: &Client,
        seconds: Option<u32>,
        request: impl Fn() -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        let (progress, begun) = (Progress::start(), Instant::now());
        let limit = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        loop {
            let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            let wait = left.map_or(REQUEST_SECONDS, |left| REQUEST_SECONDS.min(left.as_secs_f64().ceil() as u64));
            let response = client.send(request().header("prefer", format!("wait={wait}"))).await?;
            if response.status() != StatusCode::ACCEPTED {
                return Ok(response);
            }
            let body = response.text().await.map_err(|error| client.connection_error(&error))?;
            let past: PastBuild = client.parse(&body)?;
            let PastBuild { past_build, checkpoint, position, .. } = past;
            let [at, of] = [checkpoint, position].map(figures::count);
            if left.is_some_and(|left| left.is_zero()) {
                bail!("past build {past_build} is at position {at} of {of}; it goes on, so run the command again");
            }
            progress.show(
                checkpoint,
                Some(position),
                format_args!("past build {past_build} is at position {at} of {of}"),
            );
        }
    }
}
