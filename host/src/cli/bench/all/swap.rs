//! A rebuild and its activation while clients query and append.

use std::time::{Duration, Instant};

use super::{
    figure::{Figure, milliseconds},
    modules::BANK,
    paced::{Answers, Kind, PacedLoad},
    place::Place,
    turns::Round,
};
use crate::{
    api::{Activation, BuildState, Projection, RebuildQuery},
    cli::{
        bench::rebuild::{reach, retire},
        operation::operate,
        output::say,
    },
};

/// How long the load lasts after the activation: what it stops shows a little later.
const AFTER: Duration = Duration::from_millis(200);

/// The longest that a request took during a swap, beside the longest without one in as much time. The swap comes first, since it tells how
/// long that is.
pub(super) async fn under_load(place: &Place) -> anyhow::Result<Round> {
    let (load, cpu) = (Load::start(place).await?, place.cpu());
    let began = Instant::now();
    let query = RebuildQuery { version: None, activate: Activation::Auto };
    let build = operate(&place.client, BANK, "rebuild", &query).await?.number();
    reach(&place.client, BANK, build, BuildState::Active).await?;
    tokio::time::sleep(AFTER).await;
    let took = began.elapsed();
    let ours = cpu.add_to(figure(load.stop().await?));
    retire_replaced(place).await?;

    let load = Load::start(place).await?;
    tokio::time::sleep(took).await;
    Ok(Round { ours: ours.with("seconds", took.as_secs_f64()), beside: figure(load.stop().await?) })
}

/// 1,000 queries and 1,000 appends in a second.
struct Load {
    queries: PacedLoad,
    appends: PacedLoad,
}

impl Load {
    async fn start(place: &Place) -> anyhow::Result<Self> {
        let queries = PacedLoad::start(place, Kind::Query).await?;
        Ok(Self { queries, appends: PacedLoad::start(place, Kind::Append).await? })
    }

    /// Stops; returns the answers to queries and those to appends.
    async fn stop(self) -> anyhow::Result<(Answers, Answers)> {
        let (queries, appends) = tokio::join!(self.queries.stop(), self.appends.stop());
        Ok((queries?, appends?))
    }
}

fn figure((queries, appends): (Answers, Answers)) -> Figure {
    for (what, answers) in [("queries", &queries), ("appends", &appends)] {
        if let Some(why) = &answers.why {
            say(format_args!("{} {what} failed; the first: {why}", answers.failed));
        }
    }
    let (longest_query, longest_append) = (milliseconds(queries.longest), milliseconds(appends.longest));
    let figure = Figure { failures: queries.failed + appends.failed, ..Figure::of(longest_query.max(longest_append)) };
    figure
        .with("longest_query_ms", longest_query)
        .with("longest_append_ms", longest_append)
        .with("queries_per_second", queries.per_second)
        .with("appends_per_second", appends.per_second)
}

/// The builds that were active before follow the log as well; they would add to the next round.
async fn retire_replaced(place: &Place) -> anyhow::Result<()> {
    let projection: Projection = place.client.json(place.client.get(&["v1", "projections", BANK])).await?;
    for build in projection.builds.iter().filter(|build| build.state != BuildState::Active) {
        retire(&place.client, BANK, build.build).await?;
    }
    Ok(())
}
