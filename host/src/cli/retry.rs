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

/// Let a build go on that halted or failed, and try again the events that it has set aside.
///
/// Events of a stream of which later ones were folded stay set aside, as they would come out of order; `gnomon rebuild` makes a build
/// that has them in order.
#[derive(Args, Debug)]
pub(super) struct Retry {
    /// The projection
    projection: String,

    /// The build [default: the active one, or the newest where none is active yet]
    build: Option<u64>,

    /// Try again all events that were set aside, also behind later events of their streams
    #[arg(long)]
    out_of_order: bool,

    /// Print what came of it as JSON
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
        say(format_args!("{label} tries again; `gnomon projections {name}` tells how far it comes"));
        if overtaken > 0 {
            let events = figures::counted(overtaken, "event");
            say(format_args!(
                "{events} of streams of which it has folded later events stay set aside; `gnomon rebuild {name}` has them in order, \
                 `--out-of-order` tries them all the same"
            ));
        }
        if behind_others > 0 {
            let events = figures::counted(behind_others, "event");
            say(format_args!(
                "{events} that were set aside come behind later events of other streams now, which the log does not say; \
                 `gnomon rebuild {name}` makes a build that has all in order"
            ));
        }
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
