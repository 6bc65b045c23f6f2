//! What it costs to be seen: the processor time that a host spends on an event while it sends traces and logs, or is asked for its measures, beside
//! that of a host that does neither.
//!
//! Speed says little here. The clients and what takes the traces have the same cores, so a host that sends some is slower by the cost of
//! both; and differences of two percent are lost among those between two runs. Counters cannot be turned off, so both sides count.

use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{
    appends,
    connection::Connection,
    figure::Figure,
    modules::BANK,
    place::Place,
    rebuilds,
    row::{Seen, Work},
    scale::Scale,
    turns::{Round, there_and_back},
};

/// How often measures are asked for. Prometheus asks each 15 seconds, or more seldom; so rarely, a round would have none or one.
const SCRAPED_EVERY: Duration = Duration::from_secs(1);
/// Clients that append.
const CLIENTS: usize = 16;

/// Work of a host that is seen, beside that of the one that is not, which is the last. Being asked for measures is compared on that one.
pub(super) async fn beside_unseen(
    places: &[Place],
    seen: Seen,
    work: Work,
    scale: Scale,
    round: u32,
) -> anyhow::Result<Round> {
    let index = match seen {
        Seen::Traced => 0,
        Seen::Sampled => 1,
        Seen::Scraped => 2,
    };
    let (Some(host), Some(unseen)) = (places.get(index), places.last()) else {
        bail!("what it costs to be seen is measured in several places")
    };
    let ours = async || match seen {
        Seen::Scraped => scraped(host, of(work, host, scale)).await,
        Seen::Traced | Seen::Sampled => of(work, host, scale).await,
    };
    there_and_back(round, ours, async || of(work, unseen, scale).await).await
}

async fn of(work: Work, place: &Place, scale: Scale) -> anyhow::Result<Figure> {
    let figure = match work {
        Work::Append => appends::by_clients(place, scale, CLIENTS).await,
        Work::Rebuild => rebuilds::of(place, &[BANK]).await,
    };
    for_each_event(figure?)
}

/// Microseconds of the host's processor time for an event, of a figure that is events in a second.
fn for_each_event(figure: Figure) -> anyhow::Result<Figure> {
    let cores = figure.detail("host_cores").context("only Linux says how much processor time a host has used")?;
    let per_second = figure.value;
    Ok(Figure { value: cores / per_second * 1e6, ..figure }.with("events_per_second", per_second))
}

/// Does something while the host is asked for its measures.
async fn scraped(place: &Place, work: impl Future<Output = anyhow::Result<Figure>>) -> anyhow::Result<Figure> {
    let connection = place.connection().await?;
    tokio::select! {
        done = work => done,
        failed = scrape(connection) => Err(failed),
    }
}

/// Asks again and again; returns why it cannot.
async fn scrape(mut connection: Connection) -> anyhow::Error {
    loop {
        if let Err(error) = connection.get("/metrics").await {
            return error.context("the host does not answer with its measures");
        }
        tokio::time::sleep(SCRAPED_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_for_an_event_is_what_the_cores_had_for_all() {
        let figure = for_each_event(Figure::of(10_000.0).with("host_cores", 0.5)).unwrap();
        assert_eq!((figure.value, figure.detail("events_per_second")), (50.0, Some(10_000.0)));
        assert!(for_each_event(Figure::of(1.0)).is_err());
    }
}
