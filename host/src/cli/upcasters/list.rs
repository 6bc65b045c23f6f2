//! Listing the active upcasters.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{ActiveUpcaster, UpcasterStep, Upcasters},
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
        let body = client.text(client.get(&["v1", "upcasters"])).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let answer: Upcasters = client.parse(&body)?;
        if answer.upcasters.is_empty() {
            output::say("no upcaster is active; `gnomon deploy` uploads and activates one");
            return Ok(());
        }
        output::print_table(&table(&answer.upcasters))?;
        Ok(())
    }
}

/// A line for each step.
fn table(upcasters: &[ActiveUpcaster]) -> Table {
    let mut table = output::table(&["UPCASTER", "#VERSION", "EVENT TYPE", "SCHEMA VERSION", "PRODUCES"]);
    for ActiveUpcaster { name, active_version, steps } in upcasters {
        for (index, UpcasterStep { event_type, from, to, produces }) in steps.iter().enumerate() {
            let (name, version) =
                if index == 0 { (name.clone(), active_version.to_string()) } else { Default::default() };
            table.add_row([name, version, event_type.clone(), format!("{from} → {to}"), produces.join(", ")]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_line() {
        let answer: Upcasters = serde_json::from_str(
            r#"{"upcasters":[{"name":"flight_arrivals","active_version":2,
                "steps":[{"type":"FlightArrived","from":1,"to":2,"produces":["FlightArrived"]},
                    {"type":"FlightLeft","from":2,"to":3,"produces":["FlightLeft","GateFreed"]}]}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&answer.upcasters).trim_fmt(), @r"
        UPCASTER         VERSION  EVENT TYPE     SCHEMA VERSION  PRODUCES
        flight_arrivals        2  FlightArrived  1 → 2           FlightArrived
                                  FlightLeft     2 → 3           FlightLeft, GateFreed
        ");
    }
}
