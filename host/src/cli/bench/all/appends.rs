//! Appends, of one event and of many.

use super::{
    bank::{Bank, BankEvent},
    beside::{self, MessageDb},
    closed_loop::{Asks, ask_for},
    connection::Connection,
    figure::Figure,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};

/// Events of an append of many, and the clients that append them.
const MANY: u64 = 100;
const CLIENTS_OF_MANY: usize = 16;

/// A client that appends so many events at a time.
struct Appends {
    connection: Connection,
    bank: Bank,
    events: u64,
}

impl Asks for Appends {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let first = number * self.events;
        let stream = self.bank.movement(first).stream();
        let events: Vec<String> =
            (first..first + self.events).map(|number| self.bank.movement(number)).map(BankEvent::to_append).collect();
        let body = format!(r#"{{"events":[{}]}}"#, events.join(","));
        self.connection.post(&format!("/v1/streams/{stream}/events"), body).await?;
        Ok(())
    }
}

async fn clients(place: &Place, clients: usize, events: u64) -> anyhow::Result<Vec<Appends>> {
    let connections = place.connections(clients).await?;
    Ok(connections.into_iter().map(|connection| Appends { connection, bank: place.bank, events }).collect())
}

/// Appends of one event by so many clients.
pub(super) async fn by_clients(place: &Place, scale: Scale, number: usize) -> anyhow::Result<Figure> {
    let (clients, cpu) = (clients(place, number, 1).await?, place.cpu());
    Ok(cpu.add_to(ask_for(scale.time, clients).await?.rate(1)))
}

/// Appends of one event, beside INSERTs.
pub(super) async fn of_one(place: &Place, scale: Scale, number: usize, round: u32) -> anyhow::Result<Round> {
    let beside = async {
        let sessions = beside::inserts(place.sessions(number).await?, place.bank).await?;
        Ok(ask_for(scale.time, sessions).await?.rate(1))
    };
    in_turn(round, by_clients(place, scale, number), beside).await
}

/// Appends of one event, beside those to message-db.
pub(super) async fn beside_message_db(
    place: &Place,
    message_db: &MessageDb,
    scale: Scale,
    number: usize,
    round: u32,
) -> anyhow::Result<Round> {
    let beside = async {
        let sessions = beside::writes(message_db, place.sessions_allowed(number).await?, place.bank).await?;
        Ok(ask_for(scale.time, sessions).await?.rate(1))
    };
    in_turn(round, by_clients(place, scale, number), beside).await
}

/// Appends of many events.
pub(super) async fn of_many(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    let ours = async {
        let (clients, cpu) = (clients(place, CLIENTS_OF_MANY, MANY).await?, place.cpu());
        Ok(cpu.add_to(ask_for(scale.time, clients).await?.rate(MANY)))
    };
    let beside = async {
        let sessions = place.sessions(CLIENTS_OF_MANY).await?;
        let sessions = beside::copies_of(MANY, sessions, place.bank).await?;
        Ok(ask_for(scale.time, sessions).await?.rate(MANY))
    };
    in_turn(round, ours, beside).await
}
