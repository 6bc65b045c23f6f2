//! Rebuilds.

use std::time::Duration;

use super::{
    beside,
    figure::Figure,
    modules::{BANK, FLIGHTS},
    place::Place,
    turns::{Round, in_turn},
};
use crate::cli::bench::rebuild::{Rebuilt, rebuild_all};

/// Rebuilds at once.
const MANY: usize = 10;

/// One rebuild, beside a program that does the same: the rows are compared once.
pub(super) async fn one(place: &Place, round: u32) -> anyhow::Result<Round> {
    let beside = async {
        let (mut from, mut to) = (place.session().await?, place.session().await?);
        let folded = beside::fold_all(&mut from, &mut to).await?;
        if round == 0 {
            beside::check_accounts(&mut to).await?;
        }
        Ok(rate(folded.events, folded.took))
    };
    in_turn(round, of(place, &[BANK]), beside).await
}

/// Ten rebuilds at once, beside one alone.
pub(super) async fn ten(place: &Place, round: u32) -> anyhow::Result<Round> {
    let ten = async {
        let cpu = place.cpu();
        let Rebuilt { events, took } = rebuild_all(&place.client, &[BANK; MANY]).await?;
        Ok(cpu.add_to(rate(events * MANY as u64, took)))
    };
    in_turn(round, ten, of(place, &[BANK])).await
}

/// Rebuilds of all projections of flights at once, beside a program that does the same: the rows are compared once.
pub(super) async fn of_flights(place: &Place, round: u32) -> anyhow::Result<Round> {
    let beside = async {
        let (mut from, mut to) = (place.session().await?, place.session().await?);
        let folded = beside::fold_flights(&mut from, &mut to).await?;
        if round == 0 {
            beside::check_flights(&mut to).await?;
        }
        Ok(rate(folded.events, folded.took))
    };
    in_turn(round, of(place, &FLIGHTS), beside).await
}

/// Rebuilds of projections at once: the events of the log, until the last of them was live.
pub(super) async fn of(place: &Place, names: &[&str]) -> anyhow::Result<Figure> {
    let cpu = place.cpu();
    let Rebuilt { events, took } = rebuild_all(&place.client, names).await?;
    Ok(cpu.add_to(rate(events, took)))
}

fn rate(events: u64, took: Duration) -> Figure {
    let seconds = took.as_secs_f64();
    Figure::of(events as f64 / seconds).with("seconds", seconds)
}
