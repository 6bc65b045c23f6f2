//! `gnomon compare`

mod render;

use clap::Args;

pub(super) use self::render::{Differences, rows_of};
use super::{
    client::{Client, ClientError},
    output,
    progress::Progress,
};
use crate::{
    api::{CompareQuery, Comparison, DEFAULT_SAMPLES, MAX_SAMPLES},
    config::ClientOptions,
};

/// Compare the rows of two builds at the same position.
#[derive(Args, Debug)]
pub(super) struct Compare {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build on the left [default: the active one]
    left: Option<u64>,

    /// The build on the right [default: the newest other one]
    right: Option<u64>,

    /// Rows of each kind of difference to show, for each table
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SAMPLES,
          value_parser = samples)]
    samples: usize,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Reads a number of sample rows. A number that the host would refuse is refused before anything is uploaded or built.
pub(super) fn samples(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "give a number".to_owned())?;
    if number > MAX_SAMPLES { Err(format!("{number} is not in 0..={MAX_SAMPLES}")) } else { Ok(number) }
}

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

/// Compares two builds; returns the host's answer.
pub(super) async fn compare(
    client: &Client,
    projection: &str,
    left: Option<u64>,
    right: Option<u64>,
    samples: usize,
) -> Result<String, ClientError> {
    let progress = Progress::start();
    progress.show(0, None, format_args!("comparing the builds of `{projection}`"));
    let query = CompareQuery { left, right, samples: Some(samples) };
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
            let parse = |samples: usize| {
                let samples = samples.to_string();
                Cli::try_parse_from([&["gnomon"][..], command, &["--samples", &samples]].concat())
            };
            assert!(parse(MAX_SAMPLES).is_ok(), "{command:?}");
            let error = parse(MAX_SAMPLES + 1).unwrap_err().to_string();
            assert!(error.contains("101 is not in 0..=100"), "{error}");
        }
    }
}
