//! Queries on many rows: aggregates of all of them and of some, and pages with what their rows reference.

use super::{
    bank::Bank,
    beside,
    closed_loop::ask_for,
    place::Place,
    queries::queries,
    row::OfMovements,
    scale::Scale,
    turns::{Round, in_turn},
};

fn statistics(_: Bank, _: u64) -> String {
    let aggregates = "count(),amount.sum(),amount.avg(),amount.min(),amount.max()";
    format!("/v1/read-models/movements/movements?select=channel,{aggregates}&order=channel")
}

fn statistics_of_some(bank: Bank, number: u64) -> String {
    let (first, end) = bank.some_keys(number);
    format!(
        "/v1/read-models/movements/movements?select=count(),amount.sum(),amount.max()&account=gte.{first}&account=lt.{end}"
    )
}

fn page(bank: Bank, number: u64) -> String {
    let first = bank.some_keys(number).0;
    format!(
        "/v1/read-models/movements/movements?select=number,amount,accounts(owner)&account=gte.{first}\
         &order=account,number&limit=100"
    )
}

/// One client's queries beside its SELECTs: the median times.
pub(super) async fn beside_select(
    place: &Place,
    scale: Scale,
    query: OfMovements,
    round: u32,
) -> anyhow::Result<Round> {
    if round == 0 {
        // So that an index alone can answer. Postgres does it by itself within minutes after a build has filled its tables.
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut place.session().await?).await?;
    }
    let path = match query {
        OfMovements::Statistics => statistics,
        OfMovements::StatisticsCovered => statistics_of_some,
        OfMovements::Embedding => page,
    };
    let ours = async {
        let (clients, cpu) = (queries(place, 1, path).await?, place.cpu());
        Ok(cpu.add_to(ask_for(scale.time, clients).await?.latency()))
    };
    let beside = async {
        let sessions = beside::selects_of_movements(place.sessions(1).await?, place.bank, query);
        Ok(ask_for(scale.time, sessions).await?.latency())
    };
    in_turn(round, ours, beside).await
}
