//! Statistics of the log.

use sqlx::{Connection as _, PgConnection};

use super::{
    closed_loop::{Asks, ask_for},
    connection::Connection,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::api::Stats;

const PATH: &str = "/v1/stats";

/// A client that asks for statistics.
struct Statistics(Connection);

impl Asks for Statistics {
    async fn ask(&mut self, _: u64) -> anyhow::Result<()> {
        self.0.get(PATH).await?;
        Ok(())
    }
}

/// The least that a session of Postgres can be asked.
struct Nothing(PgConnection);

impl Asks for Nothing {
    async fn ask(&mut self, _: u64) -> anyhow::Result<()> {
        sqlx::query("SELECT 1").execute(&mut self.0).await?;
        Ok(())
    }
}

/// Statistics of the whole log, beside a statement that does nothing.
pub(super) async fn beside_select(place: &Place, scale: Scale, round: u32) -> anyhow::Result<Round> {
    let ours = async {
        let mut connection = place.connection().await?;
        // What was imported is counted in the background.
        loop {
            let stats: Stats = serde_json::from_slice(&connection.get(PATH).await?)?;
            if stats.position == stats.head {
                break;
            }
        }
        let cpu = place.cpu();
        Ok(cpu.add_to(ask_for(scale.time, vec![Statistics(connection)]).await?.latency()))
    };
    let beside = async {
        let mut session = place.session().await?;
        session.ping().await?;
        Ok(ask_for(scale.time, vec![Nothing(session)]).await?.latency())
    };
    in_turn(round, ours, beside).await
}
