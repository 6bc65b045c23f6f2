//! Listing the dead letters of a reactor.

use clap::Args;

use crate::{
    api::{ReactorDeadLettersPage, ReactorDeadLettersQuery},
    cli::{client::Client, dead_letters::table, figures, output},
    config::ClientOptions,
};

/// List the dead letters of a reactor: the events that it has set aside, with the errors of its module.
#[derive(Args, Debug)]
pub(super) struct DeadLetters {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    /// List events after this position
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,

    /// How many events to list
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl DeadLetters {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (name, query) = (&self.reactor, ReactorDeadLettersQuery { after: self.after, limit: self.limit });
        let request = client.get(&["v1", "reactors", name, "dead-letters"]).query(&query);
        let body = client.text(request).await?;
        let page: ReactorDeadLettersPage = client.parse(&body)?;
        if self.json {
            output::data(&body)?;
            output::say_more(page.next);
            return Ok(());
        }
        if page.total == 0 {
            output::say(format_args!("reactor `{name}` has set no event aside"));
            return Ok(());
        }
        output::print_table(&table(&page.dead_letters))?;
        let total = figures::counted(page.total, "event");
        output::say(format_args!(
            "reactor `{name}` has set {total} aside; `gnomon reactors retry {name}` tries them again"
        ));
        output::say_more(page.next);
        Ok(())
    }
}
