//! Showing a message, sending it again, and dropping it.

use clap::Args;
use reqwest::Method;

use crate::{
    api::Message,
    cli::{
        client::Client,
        output::{self, say},
    },
    config::ClientOptions,
};

/// Show a message, with its data, as JSON.
#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    which: Which,
}

/// Send a message now that has failed, or waits for its next try.
///
/// A call that has failed is not made again: its reactor was told so.
#[derive(Args, Debug)]
pub(super) struct Retry {
    #[command(flatten)]
    which: Which,
}

/// Remove a message, which is then not sent; the reactor of a call is told that it has failed.
#[derive(Args, Debug)]
pub(super) struct Drop {
    #[command(flatten)]
    which: Which,
}

#[derive(Args, Debug)]
struct Which {
    /// The id of the message
    message: String,

    #[command(flatten)]
    client: ClientOptions,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.which.client)?;
        output::data(client.text(client.get(&["v1", "outbox", &self.which.message])).await?)?;
        Ok(())
    }
}

impl Retry {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.which.client)?;
        let request = client.request(Method::POST, &["v1", "outbox", &self.which.message, "retry"]);
        let Message { sink, .. } = client.json(request).await?;
        say(format_args!("the message is sent to `{sink}` again"));
        Ok(())
    }
}

impl Drop {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.which.client)?;
        client.send(client.request(Method::DELETE, &["v1", "outbox", &self.which.message])).await?;
        say("the message is dropped");
        Ok(())
    }
}
