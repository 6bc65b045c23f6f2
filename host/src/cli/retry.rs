//! `gnomon retry`

use clap::Args;

use super::{
    client::Client,
    figures,
    operation::{Operated, request},
    output::say,
};
use crate::{
    api::{Retried, RetryQuery},
    config::ClientOptions,
};

/// Let a build continue that halted or failed, and retry its dead letters.
///
/// A dead letter stays set aside if later events of its stream were folded, since it would be folded out of order; `gnomon rebuild`
/// begins a build that folds all events in order.
#[derive(Args, Debug)]
pub(super) struct Retry {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the active one, or the newest if none is active]
    build: Option<u64>,

    /// Retry all dead letters, also after later events of their streams
    #[arg(long)]
    out_of_order: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Retry {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = RetryQuery { build: self.build, out_of_order: self.out_of_order };
        let Retried { overtaken, behind_others, operated } =
            client.json(request(&client, &self.projection, "retry", &query)).await?;
        let operated = Operated::from(operated);
        let (label, name) = (operated.label(), &self.projection);
        say(format_args!("{label} tries again; `gnomon projections {name}` shows its progress"));
        if overtaken > 0 {
            say(stays_aside(name, overtaken));
        }
        if behind_others > 0 {
            say(behind_other_streams(name, behind_others));
        }
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}

/// Says that dead letters are not retried.
fn stays_aside(name: &str, letters: u64) -> String {
    let (stay, their, them) =
        if letters == 1 { ("stays", "its stream", "it") } else { ("stay", "their streams", "them") };
    format!(
        "{} {stay} set aside, since later events of {their} were folded; `gnomon rebuild {name}` begins a build that folds {them} in \
         order, `--out-of-order` retries {them} out of order",
        figures::counted(letters, "event")
    )
}

/// Says that dead letters are folded after later events of other streams.
fn behind_other_streams(name: &str, letters: u64) -> String {
    let (was, is) = if letters == 1 { ("was", "is") } else { ("were", "are") };
    format!(
        "{} that {was} set aside {is} folded after later events of other streams; `gnomon rebuild {name}` begins a build that folds \
         all events in order",
        figures::counted(letters, "event")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_is_not_several() {
        assert!(stays_aside("bank", 1).starts_with("1 event stays set aside, since later events of its stream were"));
        assert!(
            stays_aside("bank", 2).starts_with("2 events stay set aside, since later events of their streams were")
        );
        assert!(behind_other_streams("bank", 1).starts_with("1 event that was set aside is folded after"));
        assert!(behind_other_streams("bank", 3).starts_with("3 events that were set aside are folded after"));
    }
}
