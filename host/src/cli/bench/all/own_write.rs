//! An append, and then a query that shows what it did.

use super::{
    bank::Bank,
    beside,
    closed_loop::{Asks, ask_for},
    connection::Connection,
    figure::Figure,
    paced::{Kind, PacedLoad},
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::api::Appended;

/// A client that reads what it has written.
struct OwnWrites {
    connection: Connection,
    bank: Bank,
}

impl Asks for OwnWrites {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let event = self.bank.movement(number);
        let stream = event.stream();
        let body = format!(r#"{{"events":[{}]}}"#, event.to_append());
        let appended = self.connection.post(&format!("/v1/streams/{stream}/events"), body).await?;
        let Appended { last_position, .. } = serde_json::from_slice(&appended)?;
        let key = stream.trim_start_matches("account-");
        self.connection.get_at(&format!("/v1/read-models/bank/accounts?account=eq.{key}"), last_position).await?;
        Ok(())
    }
}

/// Appends until the row is answered, beside two commits.
pub(super) async fn until_answered(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    in_turn(round, own_writes(place, scale), commits(place, scale)).await
}

/// Appends until the row is answered while others append, beside two commits without anything else.
pub(super) async fn under_load(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    let ours = async {
        let load = PacedLoad::start(place, Kind::Append).await?;
        let figure = own_writes(place, scale).await?;
        let others = load.stop().await?;
        let figure = Figure { failures: figure.failures + others.failed, ..figure };
        Ok(figure.with("appends_of_others_per_second", others.per_second))
    };
    in_turn(round, ours, commits(place, scale)).await
}

async fn own_writes(place: &Place, scale: Scale) -> anyhow::Result<Figure> {
    let (client, cpu) = (OwnWrites { connection: place.connection().await?, bank: place.bank }, place.cpu());
    Ok(cpu.add_to(ask_for(scale.time, vec![client]).await?.latency()))
}

async fn commits(place: &Place, scale: Scale) -> anyhow::Result<Figure> {
    let client = beside::commits_one_after_the_other(place.session().await?, place.bank).await?;
    Ok(ask_for(scale.time, vec![client]).await?.latency())
}
