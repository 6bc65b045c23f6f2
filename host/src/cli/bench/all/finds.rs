//! What a `find` by an index costs in a rebuild, however many rows there are.

use super::{
    figure::Figure,
    logs,
    modules::{BANK, FINDS},
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::cli::bench::rebuild::{Rebuilt, rebuild_all};

/// What a find costs at least. It is a difference of two times, and of few events it may come out as less than nothing.
const LEAST_MICROSECONDS: f64 = 0.001;

/// A find among the most rows, beside one among the fewest.
pub(super) async fn by_an_index(places: &[Place], scale: Scale, round: u32) -> anyhow::Result<Round> {
    let [few, more, many] = places else { anyhow::bail!("finds are measured in three places") };
    let finds = logs::finds(scale.events);
    let in_between = cost(more, finds).await?.value;
    let Round { ours, beside } = in_turn(round, cost(many, finds), cost(few, finds)).await?;
    Ok(Round { ours: ours.with("tenth_of_rows_us", in_between), beside })
}

/// Microseconds of a find: by how much a rebuild with finds takes longer than one without, of the same rows from the same log.
async fn cost(place: &Place, finds: u64) -> anyhow::Result<Figure> {
    let without = seconds(place, BANK).await?;
    let cpu = place.cpu();
    let with = seconds(place, FINDS).await?;
    let cost = 1e6 * (with - without) / finds as f64;
    let figure = Figure::of(cost.max(LEAST_MICROSECONDS));
    Ok(cpu.add_to(figure).with("seconds_with", with).with("seconds_without", without))
}

async fn seconds(place: &Place, name: &str) -> anyhow::Result<f64> {
    let Rebuilt { took, .. } = rebuild_all(&place.client, &[name]).await?;
    Ok(took.as_secs_f64())
}
