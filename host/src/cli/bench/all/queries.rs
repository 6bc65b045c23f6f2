//! Queries on the read model of the bank.

use super::{
    bank::Bank,
    beside,
    closed_loop::{Asks, ask_for},
    connection::Connection,
    figure::Figure,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};

/// Connections that ask for pages.
const CONNECTIONS_OF_PAGES: usize = 32;

/// A client that sends one query after the other.
pub(super) struct Queries {
    connection: Connection,
    bank: Bank,
    path: fn(Bank, u64) -> String,
}

impl Asks for Queries {
    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        let path = (self.path)(self.bank, number);
        let rows = self.connection.get(&path).await?;
        anyhow::ensure!(rows.len() > 2, "the host of the benchmark answered {path} with no row");
        Ok(())
    }
}

/// Clients that send the queries of these paths, one for each connection.
pub(super) async fn queries(
    place: &Place,
    connections: usize,
    path: fn(Bank, u64) -> String,
) -> anyhow::Result<Vec<Queries>> {
    let connections = place.connections(connections).await?;
    Ok(connections.into_iter().map(|connection| Queries { connection, bank: place.bank, path }).collect())
}

/// The path of the query for an account that is drawn by a number.
pub(super) fn one_account(bank: Bank, number: u64) -> String {
    format!("/v1/read-models/bank/accounts?account=eq.{}", bank.key(number))
}

fn page_of_accounts(bank: Bank, number: u64) -> String {
    format!("/v1/read-models/bank/accounts?owner=gte.{}&order=owner&limit=100", bank.owner(number))
}

/// Queries for one row by its key, on so many connections.
pub(super) async fn on_connections(place: &Place, scale: Scale, connections: usize) -> anyhow::Result<Figure> {
    let (clients, cpu) = (queries(place, connections, one_account).await?, place.cpu());
    Ok(cpu.add_to(ask_for(scale.time, clients).await?.rate(1)))
}

/// The path of the query for one of the first 100 accounts.
fn one_of_few(bank: Bank, number: u64) -> String {
    one_account(bank, number % 100)
}

/// Queries whose answer is kept, beside those of a host that keeps none.
pub(super) async fn kept(places: &[Place], scale: Scale, connections: usize, round: u32) -> anyhow::Result<Round> {
    let [keeps, reads] = places else { anyhow::bail!("answers that are kept are measured in two places") };
    let ask = async |place: &Place| {
        let (clients, cpu) = (queries(place, connections, one_of_few).await?, place.cpu());
        Ok(cpu.add_to(ask_for(scale.time, clients).await?.rate(1)))
    };
    in_turn(round, ask(keeps), ask(reads)).await
}

/// Queries for one row by its key, beside SELECTs.
pub(super) async fn by_key(place: &Place, scale: Scale, connections: usize, round: u32) -> anyhow::Result<Round> {
    let beside = async {
        let sessions = beside::point_queries(place.sessions(connections).await?, place.bank);
        Ok(ask_for(scale.time, sessions).await?.rate(1))
    };
    in_turn(round, on_connections(place, scale, connections), beside).await
}

/// Queries for pages of 100 rows.
pub(super) async fn of_pages(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    let ours = async {
        let (clients, cpu) = (queries(place, CONNECTIONS_OF_PAGES, page_of_accounts).await?, place.cpu());
        Ok(cpu.add_to(ask_for(scale.time, clients).await?.rate(1)))
    };
    let beside = async {
        let sessions = beside::pages(place.sessions(CONNECTIONS_OF_PAGES).await?, place.bank);
        Ok(ask_for(scale.time, sessions).await?.rate(1))
    };
    in_turn(round, ours, beside).await
}
