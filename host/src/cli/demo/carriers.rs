//! The result of the week: the carriers from the most to the least punctual.

use std::collections::BTreeMap;

use anyhow::Context;
use comfy_table::Table;
use serde::Deserialize;

use super::import::Week;
use crate::cli::{
    client::Client,
    figures,
    output::{self, say},
};

/// The columns of a row of `carrier_daily` that are used here.
#[derive(Clone, Debug, Default, Deserialize)]
struct Daily {
    carrier: String,
    scheduled: i64,
    cancelled: i64,
    arrived: i64,
    on_time: i64,
    arr_delay: i64,
}

/// The carriers of nycflights13, as its table `airlines` names them.
const NAMES: [(&str, &str); 16] = [
    ("9E", "Endeavor Air"),
    ("AA", "American Airlines"),
    ("AS", "Alaska Airlines"),
    ("B6", "JetBlue Airways"),
    ("DL", "Delta Air Lines"),
    ("EV", "ExpressJet Airlines"),
    ("F9", "Frontier Airlines"),
    ("FL", "AirTran Airways"),
    ("HA", "Hawaiian Airlines"),
    ("MQ", "Envoy Air"),
    ("OO", "SkyWest Airlines"),
    ("UA", "United Air Lines"),
    ("US", "US Airways"),
    ("VX", "Virgin America"),
    ("WN", "Southwest Airlines"),
    ("YV", "Mesa Airlines"),
];

/// Shows the carriers; `rule` says which flights are on time.
pub(super) async fn show(client: &Client, week: Week, rule: &str) -> anyhow::Result<()> {
    let request = client
        .get(&["v1", "read-models", "punctuality", "carrier_daily"])
        .query(&[("select", "carrier,scheduled,cancelled,arrived,on_time,arr_delay")])
        .query(&[("day", "gte.2013-01-01"), ("day", "lte.2013-01-07")])
        .header("gnomon-min-position", week.last_position);
    let response = client.send(request).await?;
    let position = response.headers().get("gnomon-position").and_then(|value| value.to_str().ok()?.parse().ok());
    let position: u64 = position.context("the answer of the host has no position")?;
    let body = response.text().await.map_err(|error| client.connection_error(&error))?;
    let days: Vec<Daily> = client.parse(&body)?;

    say("\nCarriers from New York, from the most punctual to the least, 1 to 7 January 2013\n");
    let rows = days.len() as u64;
    output::print_table(&table(&from_best_to_worst(days)))?;
    say(format_args!(
        "\nComputed from {} of the table carrier_daily, which the module `punctuality` folded from the events up to position {}.\n\
         A flight is on time if it arrives {rule}. Source: US Bureau of Transportation Statistics by nycflights13 (CC0).",
        figures::counted(rows, "row"),
        figures::count(position)
    ));
    Ok(())
}

/// Each carrier with the sums of its days, the largest share of flights on time first.
fn from_best_to_worst(days: Vec<Daily>) -> Vec<Daily> {
    let mut carriers: BTreeMap<String, Daily> = BTreeMap::new();
    for day in days {
        let sum = carriers.entry(day.carrier.clone()).or_default();
        sum.carrier = day.carrier;
        sum.scheduled += day.scheduled;
        sum.cancelled += day.cancelled;
        sum.arrived += day.arrived;
        sum.on_time += day.on_time;
        sum.arr_delay += day.arr_delay;
    }
    let mut carriers: Vec<Daily> = carriers.into_values().collect();
    carriers.sort_by(|a, b| share(b.on_time, b.arrived).total_cmp(&share(a.on_time, a.arrived)));
    carriers
}

fn table(carriers: &[Daily]) -> Table {
    let mut table = output::table(&["CARRIER", "", "#FLIGHTS", "#CANCELLED", "#ARRIVED", "#ON TIME", "#AVERAGE DELAY"]);
    for carrier in carriers {
        let name = NAMES.iter().find(|(code, _)| *code == carrier.carrier).map_or("", |(_, name)| name);
        table.add_row([
            carrier.carrier.clone(),
            name.to_owned(),
            carrier.scheduled.to_string(),
            carrier.cancelled.to_string(),
            carrier.arrived.to_string(),
            format!("{:.1} %", 100.0 * share(carrier.on_time, carrier.arrived)),
            format!("{:.1} min", share(carrier.arr_delay, carrier.arrived)),
        ]);
    }
    table
}

/// `part` divided by `whole`; 0 if `whole` is 0.
fn share(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(carrier: &str, arrived: i64, on_time: i64, arr_delay: i64) -> Daily {
        Daily { carrier: carrier.to_owned(), scheduled: arrived + 1, cancelled: 1, arrived, on_time, arr_delay }
    }

    #[test]
    fn days_are_summed_and_carriers_ranked() {
        let days = vec![day("UA", 10, 5, 100), day("HA", 3, 3, -30), day("UA", 30, 25, -20), day("XX", 0, 0, 0)];
        insta::assert_snapshot!(table(&from_best_to_worst(days)).trim_fmt(), @r"
        CARRIER                     FLIGHTS  CANCELLED  ARRIVED  ON TIME  AVERAGE DELAY
        HA       Hawaiian Airlines        4          1        3  100.0 %      -10.0 min
        UA       United Air Lines        42          2       40   75.0 %        2.0 min
        XX                                1          1        0    0.0 %        0.0 min
        ");
    }
}
