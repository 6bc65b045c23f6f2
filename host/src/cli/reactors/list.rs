//! Listing the reactors.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{Reactor, Reactors},
    cli::{client::Client, figures, output, projection::with_error},
    config::ClientOptions,
};

#[derive(Args, Debug)]
pub(super) struct List {
    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let body = client.text(client.get(&["v1", "reactors"])).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let answer: Reactors = client.parse(&body)?;
        if answer.reactors.is_empty() {
            output::say("there are no reactors; `gnomon deploy` uploads one");
            return Ok(());
        }
        output::print_table(&table(&answer.reactors))?;
        for reactor in &answer.reactors {
            for note in notes(reactor) {
                output::data(format_args!("\n{note}"))?;
            }
        }
        Ok(())
    }
}

/// A line for each reactor.
fn table(reactors: &[Reactor]) -> Table {
    let mut table =
        output::table(&["REACTOR", "#VERSION", "STATE", "#POSITION", "#HEAD", "#LAG", "#EVENTS/S", "#SCHEDULES"]);
    for reactor in reactors {
        table.add_row([
            reactor.name.clone(),
            reactor.version.to_string(),
            reactor.state.to_string(),
            figures::count(reactor.checkpoint).to_string(),
            figures::count(reactor.head).to_string(),
            figures::count(reactor.lag).to_string(),
            figures::rate(reactor.events_per_second).to_string(),
            figures::count(reactor.schedules).to_string(),
        ]);
    }
    table
}

/// What the table does not say.
fn notes(reactor: &Reactor) -> Vec<String> {
    let (name, mut notes) = (&reactor.name, Vec::new());
    if let Some(error) = &reactor.error {
        let label = format!("reactor `{name}` (version {}) {}", reactor.version, reactor.state);
        let stopped = with_error(label, error, &reactor.upcasters);
        notes.push(format!("{stopped}\n  go on    gnomon reactors retry {name}"));
    }
    if reactor.dead_letters > 0 {
        let events = figures::counted(reactor.dead_letters, "event");
        notes
            .push(format!("reactor `{name}` has set {events} aside; `gnomon reactors dead-letters {name}` lists them"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reactor_has_a_line_and_what_is_wrong_is_said() {
        let answer: Reactors = serde_json::from_str(
            r#"{"reactors":[
                {"name":"delays","version":1,"state":"running","on_failure":"halt","checkpoint":18262,"head":18262,"lag":0,
                 "events_per_second":0,"error":null,"dead_letters":0,"out_of_order":0,"schedules":3,"next_due_at":null,"began_after":0,
                 "tables":[],"upcasters":[],"created_at":"2026-01-01T00:00:00Z","activated_at":"2026-01-01T00:00:00Z"},
                {"name":"settlement","version":2,"state":"halted","on_failure":"halt","checkpoint":7,"head":18262,"lag":18255,
                 "events_per_second":0,"error":{"reason":"module","position":8,"message":"there is no account"},"dead_letters":1,
                 "out_of_order":0,"schedules":0,"next_due_at":null,"began_after":0,"tables":["transfers"],"upcasters":[],
                 "created_at":"2026-01-01T00:00:00Z","activated_at":"2026-01-01T00:00:00Z"}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&answer.reactors).trim_fmt(), @r"
        REACTOR     VERSION  STATE    POSITION    HEAD     LAG  EVENTS/S  SCHEDULES
        delays            1  running    18,262  18,262       0         0          3
        settlement        2  halted          7  18,262  18,255         0          0
        ");
        let said: Vec<_> = answer.reactors.iter().flat_map(notes).collect();
        assert_eq!(
            said,
            [
                "reactor `settlement` (version 2) halted at position 8: there is no account\n  see it   gnomon events --after 7 --limit 1\n  \
                 go on    gnomon reactors retry settlement",
                "reactor `settlement` has set 1 event aside; `gnomon reactors dead-letters settlement` lists them",
            ]
        );
    }
}
