//! `gnomon projections`

use clap::Args;
use serde::Deserialize;

use super::{client::Client, figures, output, projection::Projection};
use crate::config::ClientOptions;

/// List the projections with their builds, or tell of one: how far it is, and what stopped it.
#[derive(Args, Debug)]
pub(super) struct Projections {
    /// The projection
    name: Option<String>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Deserialize)]
struct List {
    projections: Vec<Projection>,
}

impl Projections {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let mut path = vec!["v1", "projections"];
        path.extend(self.name.as_deref());
        let body = client.text(client.get(&path)).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let projections = match &self.name {
            Some(_) => vec![client.parse::<Projection>(&body)?],
            None => client.parse::<List>(&body)?.projections,
        };
        if projections.is_empty() {
            output::say("no projections; `gnomon deploy` uploads one");
            return Ok(());
        }
        print(&projections)?;
        if let [projection] = projections.as_slice()
            && self.name.is_some()
        {
            output::data(format_args!("\ntables: {}", projection.tables.join(", ")))?;
        }
        for projection in &projections {
            for why in projection.builds.iter().filter_map(|build| build.why_it_stopped(&projection.name)) {
                output::data(format_args!("\n{why}"))?;
            }
        }
        Ok(())
    }
}

fn print(projections: &[Projection]) -> std::io::Result<()> {
    let mut table =
        output::table(&["PROJECTION", "#BUILD", "#VERSION", "STATE", "#POSITION", "#HEAD", "#LAG", "#EVENTS/S"]);
    for projection in projections {
        for build in &projection.builds {
            table.add_row([
                projection.name.clone(),
                build.build.to_string(),
                build.version.to_string(),
                build.state.clone(),
                figures::count(build.checkpoint).to_string(),
                figures::count(build.head).to_string(),
                figures::count(build.lag).to_string(),
                figures::rate(build.events_per_second).to_string(),
            ]);
        }
    }
    output::print_table(&table)
}
