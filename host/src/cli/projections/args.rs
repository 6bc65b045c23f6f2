//! The arguments of `gnomon projections`.

use clap::Args;
use reqwest::RequestBuilder;

use crate::{api::ProjectionsQuery, cli::client::Client, config::ClientOptions};

/// List the projections with their builds, or show one: its progress, and why it stopped.
#[derive(Args, Debug)]
pub(in crate::cli) struct Projections {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    pub(super) name: Option<String>,

    /// List retired builds as well, whose tables are dropped
    #[arg(long)]
    pub(super) retired: bool,

    /// Follow the changes until Ctrl-C: at a terminal with a table that is kept up to date, otherwise with a line for each change
    #[arg(long)]
    pub(super) watch: bool,

    /// Print the host's answer as JSON; with --watch, one line for each projection that has changed
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

impl Projections {
    pub(super) fn request(&self, client: &Client) -> RequestBuilder {
        let mut path = vec!["v1", "projections"];
        path.extend(self.name.as_deref());
        let reading = self.name.is_some() && !self.watch;
        client.get(&path).query(&ProjectionsQuery { retired: self.retired, reading })
    }
}
