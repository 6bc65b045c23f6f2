//! Trying events again that a reactor could not handle.

use clap::Args;
use reqwest::Method;

use crate::{
    api::{RetriedReactor, RetryReactorQuery},
    cli::{client::Client, figures, output::say},
    config::ClientOptions,
};

/// Let a reactor continue that halted or failed, and retry its dead letters.
///
/// A dead letter stays set aside if later events of its stream were handled, since it would be handled out of order.
#[derive(Args, Debug)]
pub(super) struct Retry {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    /// Retry all dead letters, also after later events of their streams
    #[arg(long)]
    out_of_order: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Retry {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (name, query) = (&self.reactor, RetryReactorQuery { out_of_order: self.out_of_order });
        let request = client.request(Method::POST, &["v1", "reactors", name, "retry"]).query(&query);
        let RetriedReactor { overtaken, behind_others, reactor } = client.json(request).await?;
        say(format_args!("reactor `{name}` tries again behind position {}", reactor.checkpoint));
        if overtaken > 0 {
            say(format_args!(
                "{} stay set aside, since later events of their streams were handled; `--out-of-order` retries them as well",
                figures::counted(overtaken, "dead letter")
            ));
        }
        if behind_others > 0 {
            say(format_args!(
                "{} are handled after later events of other streams",
                figures::counted(behind_others, "dead letter")
            ));
        }
        Ok(())
    }
}
