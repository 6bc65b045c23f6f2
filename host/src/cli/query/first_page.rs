//! The first request of a reader, which waits for what the user has appended.

use std::time::Duration;

use anyhow::bail;
use reqwest::{RequestBuilder, Response};

use super::{args::Wait, past::Past};
use crate::cli::{
    client::Client,
    figures, last_appends,
    output::say,
    wait_for::{Waited, wait_for},
};

/// How long a query waits if the user does not say.
const DEFAULT_WAIT: u32 = 5;

impl Wait {
    /// Sends the first request for rows of a projection.
    ///
    /// A position that the user names has to be reached. What this user has appended last is only waited for: if it takes too long, a
    /// note says what the rows lack. Rows of the past are waited for as long as it takes, or as the user says.
    pub(in crate::cli) async fn first(
        &self,
        client: &Client,
        projection: &str,
        past: &Past,
        request: impl Fn() -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        if past.as_of.is_some() {
            return Past::first(client, self.wait, request).await;
        }
        let timeout = Duration::from_secs(self.wait.unwrap_or(DEFAULT_WAIT).into());
        if let Some(position) = self.min_position {
            return match wait_for(client, projection, position, timeout, request).await? {
                Waited::Reached(response) => Ok(response),
                Waited::BeyondHead(problem) => bail!("{problem}"),
                Waited::Behind(reason) => bail!("{reason}, and not yet at {}", figures::count(position)),
            };
        }
        let appended = if self.no_wait { None } else { last_appends::recall(client) };
        let Some(mut position) = appended else { return Ok(client.send(request()).await?) };
        let mut waited = wait_for(client, projection, position, timeout, &request).await?;
        if let Waited::BeyondHead(problem) = &waited {
            // The log was restored or replaced since. What was appended to it after that is not beyond its head now.
            let head = problem.number("head");
            last_appends::replace(client, head);
            let Some(head) = head else { return Ok(client.send(request()).await?) };
            position = head;
            waited = wait_for(client, projection, position, timeout, &request).await?;
        }
        match waited {
            Waited::Reached(response) => Ok(response),
            Waited::BeyondHead(_) => Ok(client.send(request()).await?),
            Waited::Behind(reason) => {
                say(format_args!(
                    "note: the rows may lack what you have appended last, at position {}: {reason}",
                    figures::count(position)
                ));
                Ok(client.send(request()).await?)
            }
        }
    }
}
