//! `gnomon projections`

mod args;
mod reading;
mod table;
mod watch;

pub(super) use self::args::Projections;
use super::{client::Client, figures, output};
use crate::api;

impl Projections {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        if self.watch {
            return watch::watch(&client, &self).await;
        }
        let body = client.text(self.request(&client)).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let projections = match &self.name {
            Some(_) => vec![client.parse::<api::Projection>(&body)?],
            None => client.parse::<api::Projections>(&body)?.projections,
        };
        if projections.is_empty() {
            output::say("no projections; `gnomon deploy` uploads one");
            return Ok(());
        }
        output::print_table(&table::table(&projections))?;
        if let [projection] = projections.as_slice()
            && self.name.is_some()
        {
            let on_failure = &projection.on_failure;
            output::data(format_args!("\ntables: {}\non failure: {on_failure}", projection.tables.join(", ")))?;
            if let Some(reading) = &projection.reading
                && let Some(build) = projection.build(reading.build)
            {
                output::data(format_args!("\n{}", reading::describe(reading, &build.label())))?;
            }
        }
        for projection in &projections {
            let name = &projection.name;
            for verification in &projection.verifications {
                if let Some(why) = verification.why_it_stopped(name) {
                    output::data(format_args!("\n{why}"))?;
                }
            }
            for build in &projection.builds {
                if let Some(why) = build.why_it_stopped(name) {
                    output::data(format_args!("\n{why}"))?;
                }
                if build.dead_letters > 0 {
                    let (number, events) = (build.build, figures::counted(build.dead_letters, "event"));
                    let way = format!("`gnomon dead-letters {name} --build {number}` lists them");
                    output::data(format_args!("\nbuild {number} of `{name}` has set {events} aside; {way}"))?;
                }
                if build.out_of_order > 0 {
                    let (number, events) = (build.build, figures::counted(build.out_of_order, "event"));
                    let way = format!("`gnomon rebuild {name}` begins a build that folds them in order");
                    output::data(format_args!("\nbuild {number} of `{name}` has folded {events} out of order; {way}"))?;
                }
            }
        }
        Ok(())
    }
}
