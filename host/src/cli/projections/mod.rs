//! `gnomon projections`

mod args;
mod reading;
mod table;
mod watch;

pub(super) use self::args::Projections;
use super::{client::Client, figures, output};
use crate::api;

/// A past build in one line.
fn past_build(past: &api::PastBuild) -> String {
    let api::PastBuild { past_build, version, position, state, checkpoint, bytes, error, .. } = past;
    let [position, checkpoint] = [*position, *checkpoint].map(figures::count);
    let how_far = match state {
        api::BuildState::Finished => format!("finished, {}", figures::bytes(*bytes)),
        state => format!("{state} at position {checkpoint}"),
    };
    let why = error.as_ref().and_then(|error| error.message.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    format!("past build {past_build}: position {position} as version {version} shows it, {how_far}{why}")
}

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
            let past: api::PastBuilds =
                client.json(client.get(&["v1", "projections", &projection.name, "past-builds"])).await?;
            for past in past.past_builds {
                output::data(format_args!("\n{}", past_build(&past)))?;
            }
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
