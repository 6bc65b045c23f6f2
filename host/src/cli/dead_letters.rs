//! `gnomon dead-letters`

use clap::Args;
use comfy_table::Table;

use super::{client::Client, figures, output};
use crate::{
    api::{DeadLetter, DeadLettersPage, DeadLettersQuery, ModuleFailure},
    config::ClientOptions,
};

/// List the dead letters of a build: the events that it has set aside, with the errors of its module.
#[derive(Args, Debug)]
pub(super) struct DeadLetters {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the active one, or the newest if none is active]
    #[arg(long, value_name = "NUMBER")]
    build: Option<u64>,

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

/// Characters of a message that are shown.
const SHOWN_MESSAGE: usize = 80;

impl DeadLetters {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = DeadLettersQuery { build: self.build, after: self.after, limit: self.limit };
        let request = client.get(&["v1", "projections", &self.projection, "dead-letters"]).query(&query);
        let body = client.text(request).await?;
        let page: DeadLettersPage = client.parse(&body)?;
        if self.json {
            output::data(&body)?;
            output::say_more(page.next);
            return Ok(());
        }
        let (name, build) = (&self.projection, page.build);
        if page.total == 0 {
            output::say(format_args!("build {build} of `{name}` has set no event aside"));
            return Ok(());
        }
        output::print_table(&table(&page.dead_letters))?;
        let total = figures::counted(page.total, "event");
        output::say(format_args!(
            "build {build} of `{name}` has set {total} aside; `gnomon retry {name} {build}` tries them again"
        ));
        output::say_more(page.next);
        Ok(())
    }
}

/// A line for each dead letter.
pub(super) fn table(letters: &[DeadLetter]) -> Table {
    let mut table = output::table(&["#POSITION", "STREAM", "TYPE", "PARKED", "ERROR"]);
    for DeadLetter { position, stream, event_type, parked, error, .. } in letters {
        let error = error.as_ref().map_or_else(|| "waits for an earlier event of its stream".to_owned(), in_a_line);
        let parked = if *parked { "yes" } else { "no" };
        table.add_row([&position.to_string(), stream, event_type, parked, &error]);
    }
    table
}

fn in_a_line(failure: &ModuleFailure) -> String {
    let message = failure.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = match &failure.upcaster {
        Some(upcaster) => format!("upcaster `{}` version {}: {message}", upcaster.name, upcaster.version),
        None => message,
    };
    match line.char_indices().nth(SHOWN_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stand_in_a_table_with_their_errors() {
        let long = "x".repeat(SHOWN_MESSAGE + 5);
        let page: DeadLettersPage = serde_json::from_str(&format!(
            r#"{{"build":4,"total":3,"next":null,"dead_letters":[
                {{"position":7,"stream":"account-1","event_type":"Opened","parked":true,"set_aside_at":"2026-01-01T00:00:00Z",
                  "error":{{"position":7,"kind":"trapped","message":"panicked at src/lib.rs:93:5:\nno account"}}}},
                {{"position":12,"stream":"account-1","event_type":"Closed","parked":true,"error":null,"set_aside_at":"2026-01-01T00:00:00Z"}},
                {{"position":18262,"stream":"account-20","event_type":"Opened","parked":false,"set_aside_at":"2026-01-01T00:00:00Z",
                  "error":{{"position":18262,"kind":"refused","message":"{long}"}}}}]}}"#
        ))
        .unwrap();
        insta::assert_snapshot!(table(&page.dead_letters).trim_fmt(), @r"
        POSITION  STREAM      TYPE    PARKED  ERROR
               7  account-1   Opened  yes     panicked at src/lib.rs:93:5: no account
              12  account-1   Closed  yes     waits for an earlier event of its stream
           18262  account-20  Opened  no      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        ");
    }
}
