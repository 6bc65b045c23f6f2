//! The import of a log.

use super::{
    beside,
    figure::Figure,
    logs::Log,
    place::Place,
    scale::Scale,
    turns::{Round, in_turn},
};
use crate::cli::progress::Progress;

/// Imports the events of the bank into a log that is empty.
pub(super) async fn of_bank(place: &Place, scale: Scale, round: u32, progress: &Progress) -> anyhow::Result<Round> {
    let ours = async {
        let cpu = place.cpu();
        let summary = place.import(Log::of_bank(scale.events).source()?, progress).await?;
        Ok(cpu.add_to(Figure::of(summary.events_per_second).with("seconds", summary.seconds)))
    };
    let beside = async {
        let took = beside::copy_all(&mut place.session().await?, place.bank, scale.events).await?.as_secs_f64();
        Ok(Figure::of(scale.events as f64 / took).with("seconds", took))
    };
    in_turn(round, ours, beside).await
}
