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
            let events = figures::counted(overtaken, "event");
            say(format_args!(
                "{events} stay set aside, since later events of their streams were folded; `gnomon rebuild {name}` begins a build \
                 that folds them in order, `--out-of-order` retries them out of order"
            ));
        }
        if behind_others > 0 {
            let events = figures::counted(behind_others, "event");
            say(format_args!(
                "{events} that were set aside are folded after later events of other streams; `gnomon rebuild {name}` begins a build \
                 that folds all events in order"
            ));
        }
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
