//! What an append, a rebuild and a query cost, however long the log is.

use super::{
    appends,
    figure::Figure,
    modules::BANK,
    place::Place,
    queries, rebuilds,
    row::Cost,
    scale::Scale,
    turns::{Round, in_turn},
};

/// Clients that append, and connections that query.
const APPENDING: usize = 16;
const QUERYING: usize = 32;

/// The longest log, beside the shortest.
pub(super) async fn of(cost: Cost, places: &[Place], scale: Scale, round: u32) -> anyhow::Result<Round> {
    let [short, longer, longest] = places else { anyhow::bail!("sizes are compared in three places") };
    let in_between = measure(cost, longer, scale).await?.value;
    let Round { ours, beside } = in_turn(round, measure(cost, longest, scale), measure(cost, short, scale)).await?;
    Ok(Round { ours: ours.with("at_3_times_per_second", in_between), beside })
}

async fn measure(cost: Cost, place: &Place, scale: Scale) -> anyhow::Result<Figure> {
    match cost {
        Cost::Append => appends::by_clients(place, scale, APPENDING).await,
        Cost::Rebuild => rebuilds::of(place, &[BANK]).await,
        Cost::Query => queries::on_connections(place, scale, QUERYING).await,
    }
}
