//! Listing the sinks.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{Sink, Sinks},
    cli::{client::Client, output},
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
        let body = client.text(client.get(&["v1", "sinks"])).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let answer: Sinks = client.parse(&body)?;
        if answer.sinks.is_empty() {
            output::say("there are no sinks; `gnomon sinks put` makes one");
            return Ok(());
        }
        output::print_table(&table(&answer.sinks))?;
        Ok(())
    }
}

fn table(sinks: &[Sink]) -> Table {
    let mut table = output::table(&["SINK", "KIND", "URL", "SECRET", "#TIMEOUT", "#TRIES"]);
    for sink in sinks {
        let Sink { name, kind, url, secret, credentials, timeout_seconds, max_tries, .. } = sink;
        let secrets: Vec<&str> = [secret, credentials].into_iter().flatten().map(String::as_str).collect();
        table.add_row([
            name.clone(),
            kind.to_string(),
            url.clone(),
            secrets.join(" "),
            format!("{timeout_seconds} s"),
            max_tries.to_string(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sink_has_a_line() {
        let answer: Sinks = serde_json::from_str(
            r#"{"sinks": [
                {"name": "orders", "kind": "webhook", "url": "https://example.com/hook", "secret": "env:GNOMON_SECRET_A", "content_mode": "binary",
                 "timeout_seconds": 10, "max_tries": 20, "created_at": "2026-01-01T10:17:00Z", "changed_at": "2026-01-01T10:17:00Z"},
                {"name": "pay", "kind": "endpoint", "url": "https://example.com/pay", "credentials": "file:/run/secrets/pay", "content_mode": "structured",
                 "timeout_seconds": 5, "max_tries": 3, "created_at": "2026-01-01T10:17:00Z", "changed_at": "2026-01-01T10:17:00Z"}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&answer.sinks).trim_fmt(), @r"
        SINK    KIND      URL                       SECRET                 TIMEOUT  TRIES
        orders  webhook   https://example.com/hook  env:GNOMON_SECRET_A       10 s     20
        pay     endpoint  https://example.com/pay   file:/run/secrets/pay      5 s      3
        ");
    }
}
