//! Catching up of a live build, which has none of the rows in memory.

use std::time::Instant;

use anyhow::Context;

use super::{
    beside::{self, Upserts},
    figure::Figure,
    lines::text_of,
    modules::BANK,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::{
    api::BuildQuery,
    cli::{import::Source, operation::operate, progress::Progress},
};

/// The part of the accounts on which money is moved in a round.
const PART: u64 = 10;

/// A live build catches up with one movement on each of many accounts, beside the same upserts: the rows are compared.
pub(super) async fn of_cold_keys(
    place: &mut Place,
    scale: Scale,
    round: u32,
    progress: &Progress,
) -> anyhow::Result<Round> {
    let (events, bank) = ((scale.events / PART).max(1), place.bank);
    let movements = (0..events).map(move |number| bank.movement_in_order(u64::from(round) * events + number));
    let query = BuildQuery { build: None };
    operate(&place.client, BANK, "pause", &query).await?;
    let lines = text_of(movements.clone().map(|movement| movement.to_line()));
    let summary = place.import(Source::read(lines, None)?, progress).await?;
    let position = summary.last_position.context("nothing was imported")?;
    // The host must not have any of the rows in memory.
    place.restart().await?;
    let place = &*place;
    let mut upserts = Upserts::prepare(place.session().await?, movements.collect()).await?;
    let rate = |seconds: f64| Figure::of(events as f64 / seconds).with("seconds", seconds);
    let ours = async {
        let (began, cpu) = (Instant::now(), place.cpu());
        operate(&place.client, BANK, "resume", &query).await?;
        place.hold(BANK, position).await?;
        Ok(cpu.add_to(rate(began.elapsed().as_secs_f64())))
    };
    let beside = async { Ok(rate(upserts.run().await?.as_secs_f64())) };
    let measured = in_turn(round, ours, beside).await?;
    beside::check_accounts(&mut place.session().await?).await?;
    Ok(measured)
}
