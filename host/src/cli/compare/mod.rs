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
use crate::{config::ClientOptions, read_model};

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
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SAMPLES,
          value_parser = clap::value_parser!(u64).range(..=MAX_SAMPLES))]
    samples: u64,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Rows of each kind that are shown if nobody says how many.
pub(super) const DEFAULT_SAMPLES: u64 = 5;
/// As many as a host shows. More are refused before anything is uploaded or built.
pub(super) const MAX_SAMPLES: u64 = read_model::compare::MAX_SAMPLES as u64;

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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn more_samples_than_a_host_shows_are_refused_at_once() {
        for command in [&["compare", "bank"][..], &["verify", "bank"], &["deploy", ".", "--compare"]] {
            let parse = |samples: u64| {
                let samples = samples.to_string();
                Cli::try_parse_from([&["gnomon"][..], command, &["--samples", &samples]].concat())
            };
            assert!(parse(MAX_SAMPLES).is_ok(), "{command:?}");
            let error = parse(MAX_SAMPLES + 1).unwrap_err().to_string();
            assert!(error.contains("101 is not in 0..=100"), "{error}");
        }
    }
}
