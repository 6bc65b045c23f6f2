//! A reactor that appends one event for each that it reads.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use reqwest::Method;

use super::{figure::Figure, modules::ANSWERS, place::Place, turns::Round};
use crate::{
    api::{ActivateReactorQuery, DeployedReactor, Reactor, ReactorState},
    cli::bench::{
        append::head,
        rebuild::{Rebuilt, rebuild_all},
    },
};

/// How often the checkpoint of a reactor is read.
const EVERY: Duration = Duration::from_millis(20);

/// The reactor answers all events of the log, beside the rebuild of a projection from the same events.
///
/// The projection has always the first turn: what the reactor appends is in the log then, and would be passed over by a rebuild.
pub(super) async fn beside_projection(place: &Place, projection: &str) -> anyhow::Result<Round> {
    let events = head(&place.client).await?;
    let beside = async {
        let cpu = place.cpu();
        let Rebuilt { took, .. } = rebuild_all(&place.client, &[projection]).await?;
        anyhow::Ok(cpu.add_to(rate(events, took)))
    };
    let beside = beside.await?;
    let (began, cpu) = (Instant::now(), place.cpu());
    begin(place, ANSWERS, Some(1)).await?;
    handle(place, ANSWERS, events).await?;
    let ours = cpu.add_to(rate(events, began.elapsed()));
    let appended = head(&place.client).await? - events;
    ensure!(appended == events, "`{ANSWERS}` has answered {events} events with {appended}");
    Ok(Round { ours, beside })
}

/// Lets a reactor begin that was uploaded.
pub(super) async fn begin(place: &Place, name: &str, from: Option<u64>) -> anyhow::Result<()> {
    let query = ActivateReactorQuery { version: None, from };
    let request = place.client.request(Method::POST, &["v1", "reactors", name, "activate"]).query(&query);
    let _: DeployedReactor = place.client.json(request).await?;
    Ok(())
}

/// Waits until a reactor has handled every event up to a position.
async fn handle(place: &Place, name: &str, position: u64) -> anyhow::Result<()> {
    loop {
        let reactor: Reactor = place.client.json(place.client.get(&["v1", "reactors", name])).await?;
        if reactor.checkpoint >= position {
            return Ok(());
        }
        if reactor.state != ReactorState::Running {
            bail!("`{name}` is {}; `gnomon reactors {name}` shows why", reactor.state);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn rate(events: u64, took: Duration) -> Figure {
    let seconds = took.as_secs_f64();
    Figure::of(events as f64 / seconds).with("seconds", seconds)
}
