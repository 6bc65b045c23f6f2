//! What it costs to be seen: a host that sends traces and logs and is asked for its measures, beside one that does neither.
//!
//! Counters cannot be turned off, so both sides count.

use std::time::Duration;

use anyhow::bail;

use super::{
    appends,
    connection::Connection,
    figure::Figure,
    modules::BANK,
    place::Place,
    rebuilds,
    row::Work,
    scale::Scale,
    turns::{Round, there_and_back},
};

/// How often measures are asked for. Prometheus asks each 15 seconds, or more seldom.
const SCRAPED_EVERY: Duration = Duration::from_secs(1);
/// Clients that append.
const CLIENTS: usize = 16;

/// Work of one of the hosts that are seen, beside that of the one that is not, which is the last.
pub(super) async fn beside_unseen(
    places: &[Place],
    seen: usize,
    work: Work,
    scale: Scale,
    round: u32,
) -> anyhow::Result<Round> {
    let (Some(seen), Some(unseen)) = (places.get(seen), places.last()) else {
        bail!("what it costs to be seen is measured in several places")
    };
    let ours = async || scraped(seen, of(work, seen, scale)).await;
    there_and_back(round, ours, async || of(work, unseen, scale).await).await
}

async fn of(work: Work, place: &Place, scale: Scale) -> anyhow::Result<Figure> {
    match work {
        Work::Append => appends::by_clients(place, scale, CLIENTS).await,
        Work::Rebuild => rebuilds::of(place, &[BANK]).await,
    }
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
