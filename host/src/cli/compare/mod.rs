//! `gnomon compare`

mod differences;
mod render;

use clap::Args;

pub(super) use self::{
    differences::{Comparison, Side, TableDifferences},
    render::rows_of,
};
use super::{
    client::{Client, ClientError},
    output,
    progress::Progress,
};
use crate::config::ClientOptions;

/// Show how the rows of two builds differ, where both hold the effect of the same events.
#[derive(Args, Debug)]
pub(super) struct Compare {
    /// The projection
    projection: String,

    /// The build that is [default: the active one]
    left: Option<u64>,

    /// The build that is to be [default: the newest other one]
    right: Option<u64>,

    /// Rows of each kind to show, for each table
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SAMPLES)]
    samples: u64,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Rows of each kind that are shown if nobody says how many.
pub(super) const DEFAULT_SAMPLES: u64 = 5;

impl Compare {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let body = compare(&client, &self.projection, self.left, self.right, self.samples).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let comparison: Comparison = client.parse(&body)?;
        output::data(comparison)?;
        Ok(())
    }
}

/// Compares two builds; answers what the host says.
pub(super) async fn compare(
    client: &Client,
    projection: &str,
    left: Option<u64>,
    right: Option<u64>,
    samples: u64,
) -> Result<String, ClientError> {
    let progress = Progress::start();
    progress.show(0, None, format_args!("comparing the builds of `{projection}`"));
    let query = [("left", left), ("right", right), ("samples", Some(samples))];
    client.text(client.get(&["v1", "projections", projection, "compare"]).query(&query)).await
}
