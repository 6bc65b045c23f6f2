//! Listing messages.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{Message, MessagesPage, MessagesQuery},
    cli::{client::Client, output},
    config::ClientOptions,
};

/// Characters of an error that are shown.
const SHOWN_ERROR: usize = 60;

#[derive(Args, Debug)]
pub(super) struct List {
    /// Only messages for this sink
    #[arg(long)]
    sink: Option<String>,

    /// Only messages of this reactor
    #[arg(long)]
    reactor: Option<String>,

    /// Only messages in this state: pending, delivered or failed
    #[arg(long)]
    state: Option<String>,

    /// List messages after this place
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,

    /// How many messages to list
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let Self { sink, reactor, state, after, limit, .. } = self;
        let query = MessagesQuery { sink, reactor, state, after, limit };
        let body = client.text(client.get(&["v1", "outbox"]).query(&query)).await?;
        let page: MessagesPage = client.parse(&body)?;
        if self.json {
            output::data(&body)?;
        } else if page.messages.is_empty() {
            output::say("there are no such messages");
        } else {
            output::print_table(&table(&page.messages))?;
        }
        output::say_more(page.next);
        Ok(())
    }
}

fn table(messages: &[Message]) -> Table {
    let mut table = output::table(&["ID", "REACTOR", "SINK", "TYPE", "KEY", "STATE", "#TRIES", "ERROR"]);
    for message in messages {
        let Message { id, reactor, sink, message_type, key, state, tries, error, .. } = message;
        let error = error.as_deref().unwrap_or_default();
        let error = match error.char_indices().nth(SHOWN_ERROR) {
            Some((end, _)) => format!("{}…", &error[..end]),
            None => error.to_owned(),
        };
        table.add_row([
            id.to_string(),
            reactor.clone(),
            sink.clone(),
            message_type.clone(),
            key.clone(),
            state.to_string(),
            tries.to_string(),
            error,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_has_a_line() {
        let page: MessagesPage = serde_json::from_str(
            r#"{"messages": [
                {"id": "0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3e", "reactor": "delays", "sink": "orders", "type": "FlightDelayed", "position": 12,
                 "key": "flight-7", "state": "pending", "tries": 1, "error": "it answered 503 Service Unavailable",
                 "enqueued_at": "2026-01-01T10:17:00Z", "next_try_at": "2026-01-01T10:17:01.5Z"},
                {"id": "0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3f", "reactor": "delays", "sink": "orders", "type": "FlightDelayed", "position": 13,
                 "key": "flight-7", "state": "pending", "tries": 0, "enqueued_at": "2026-01-01T10:17:00Z"}], "next": null}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&page.messages).trim_fmt(), @r"
        ID                                    REACTOR  SINK    TYPE           KEY       STATE    TRIES  ERROR
        0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3e  delays   orders  FlightDelayed  flight-7  pending      1  it answered 503 Service Unavailable
        0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3f  delays   orders  FlightDelayed  flight-7  pending      0
        ");
    }
}
