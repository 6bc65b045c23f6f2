//! `gnomon stats`

mod bars;
mod days;
mod text;

use std::io::IsTerminal as _;

use clap::Args;

use self::bars::Bars;
use super::{client::Client, output};
use crate::{
    api::{DEFAULT_STATS_DAYS, Stats as Answer, StatsQuery},
    config::ClientOptions,
};

/// Show what the log consists of, how it grows, and what it and the builds take: events by type, category and day, and the longest streams.
#[derive(Args, Debug)]
pub(super) struct Stats {
    /// How many types, categories and streams to list, of each
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// How many days to list
    #[arg(long, value_name = "NUMBER")]
    days: Option<u64>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Stats {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = StatsQuery { limit: self.limit, days: self.days };
        let body = client.text(client.get(&["v1", "stats"]).query(&query)).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let stats: Answer = client.parse(&body)?;
        let days = self.days.and_then(|days| usize::try_from(days).ok()).unwrap_or(DEFAULT_STATS_DAYS);
        output::data(text::text(&stats, days, bars_of_stdout()))?;
        if let Some(behind) = text::behind(&stats) {
            output::say(behind);
        }
        Ok(())
    }
}

/// What the terminal has room for; another reader gets bars of one width, in ASCII.
fn bars_of_stdout() -> Bars {
    let width = ratatui::crossterm::terminal::size().ok().map(|(width, _)| usize::from(width));
    match width {
        Some(width) if std::io::stdout().is_terminal() && width > 0 => Bars::of_terminal(width),
        _ => Bars::plain(),
    }
}
