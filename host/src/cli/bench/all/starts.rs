//! The start of a host.

use std::time::Instant;

use sqlx::{ConnectOptions, Connection};

use super::{
    figure::{Figure, milliseconds},
    place::Place,
    turns::{Round, in_turn},
};

/// Starts the host again, beside a connection to Postgres.
pub(super) async fn until_ready(place: &mut Place, round: u32) -> anyhow::Result<Round> {
    let database = place.database().clone();
    let ours = async { Ok(Figure::of(milliseconds(place.restart().await?))) };
    let beside = async {
        let began = Instant::now();
        let mut session = database.connect().await?;
        sqlx::query("SELECT 1").execute(&mut session).await?;
        let took = began.elapsed();
        session.close().await?;
        Ok(Figure::of(milliseconds(took)))
    };
    in_turn(round, ours, beside).await
}
