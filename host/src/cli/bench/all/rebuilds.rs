//! Rebuilds of the bank.

use super::{
    beside,
    figure::Figure,
    place::{BANK, Place},
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
        Ok(rate(folded.events, folded.took.as_secs_f64()))
    };
    in_turn(round, rebuild(place, 1), beside).await
}

/// Ten rebuilds at once, beside one alone.
pub(super) async fn ten(place: &Place, round: u32) -> anyhow::Result<Round> {
    in_turn(round, rebuild(place, MANY), rebuild(place, 1)).await
}

async fn rebuild(place: &Place, builds: usize) -> anyhow::Result<Figure> {
    let cpu = place.cpu();
    let Rebuilt { events, took } = rebuild_all(&place.client, &vec![BANK; builds]).await?;
    Ok(cpu.add_to(rate(events * builds as u64, took.as_secs_f64())))
}

fn rate(events: u64, seconds: f64) -> Figure {
    Figure::of(events as f64 / seconds).with("seconds", seconds)
}
