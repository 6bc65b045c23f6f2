//! Which projections are asked for.

use clap::Args;
use reqwest::RequestBuilder;

use crate::{cli::client::Client, config::ClientOptions};

/// List the projections with their builds, or tell of one: how far it is, and what stopped it.
#[derive(Args, Debug)]
pub(in crate::cli) struct Projections {
    /// The projection
    pub(super) name: Option<String>,

    /// Go on as they change, until Ctrl-C: a table that is kept up to date at a terminal, otherwise a line for each change
    #[arg(long)]
    pub(super) watch: bool,

    /// Print the host's answer as JSON; with --watch, a projection in a line whenever it has changed
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

impl Projections {
    pub(super) fn request(&self, client: &Client) -> RequestBuilder {
        let mut path = vec!["v1", "projections"];
        path.extend(self.name.as_deref());
        client.get(&path)
    }
}
