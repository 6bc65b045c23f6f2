//! The past of streams: state and history of one stream, by a host that keeps snapshots and by one that keeps none.

use std::time::Duration;

use anyhow::ensure;

use super::{
    closed_loop::{Asks, ask_for},
    connection::Connection,
    drawn::mix,
    place::Place,
    row::{OfStream, Told},
    scale::Scale,
    streams::{STREAMS, length, stream},
    turns::{Round, in_turn},
};
use crate::{api::StreamState, past::PastSettings};

/// Events of a page of the history.
const PAGE: u64 = 100;
/// How often it is looked whether snapshots are written.
const EVERY: Duration = Duration::from_millis(20);

/// A client that asks for the past of a stream, at versions that are drawn.
struct Client {
    connection: Connection,
    told: Told,
    account: u64,
    length: u64,
}

impl Asks for Client {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let version = 1 + mix(number) % self.length;
        let stream = stream(self.account);
        let path = match self.told {
            Told::State => format!("/v1/streams/{stream}/state?projection=bank&at_version={version}"),
            Told::History => {
                let after = version + 1;
                format!("/v1/streams/{stream}/history?projection=bank&direction=backward&limit={PAGE}&after={after}")
            }
        };
        let answer = self.connection.get(&path).await?;
        ensure!(answer.len() > 2, "the host of the benchmark answered {path} with nothing");
        Ok(())
    }
}

/// The median times of a host that keeps snapshots, beside those of one that keeps none. The stream is that of its length.
pub(super) async fn with_and_without_snapshots(
    places: &[Place],
    scale: Scale,
    told: Told,
    of: OfStream,
    round: u32,
) -> anyhow::Result<Round> {
    let [keeps, folds] = places else { anyhow::bail!("snapshots are measured in two places") };
    let length = length(of, scale.events);
    // In a log of one stream it is the first.
    let account = STREAMS.iter().zip(0..).find(|(other, _)| **other == of).map_or(0, |(_, account)| account);
    take_snapshots(keeps, account, length).await?;
    let ask = async |place: &Place| {
        let client = Client { connection: place.connection().await?, told, account, length };
        let cpu = place.cpu();
        Ok(cpu.add_to(ask_for(scale.time, vec![client]).await?.latency()))
    };
    in_turn(round, ask(keeps), ask(folds)).await
}

/// Asks for the newest state until a snapshot is used, if the stream is long enough to have one.
async fn take_snapshots(place: &Place, account: u64, length: u64) -> anyhow::Result<()> {
    loop {
        let request = place.client.get(&["v1", "streams", &stream(account), "state"]).query(&[("projection", "bank")]);
        let state: StreamState = place.client.json(request).await?;
        if state.snapshot > 0 || length < PastSettings::default().snapshot_every as u64 {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}
