//! An append, and then a query that shows what it did.

use super::{
    bank::Bank,
    beside,
    closed_loop::{Asks, ask_for},
    connection::Connection,
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
    let ours = async {
        let (client, cpu) = (OwnWrites { connection: place.connection().await?, bank: place.bank }, place.cpu());
        Ok(cpu.add_to(ask_for(scale.time, vec![client]).await?.latency()))
    };
    let beside = async {
        let client = beside::commits_one_after_the_other(place.session().await?, place.bank).await?;
        Ok(ask_for(scale.time, vec![client]).await?.latency())
    };
    in_turn(round, ours, beside).await
}
