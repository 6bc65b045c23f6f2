//! The two sides of a round.

use super::figure::Figure;

/// What a round measured.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) ours: Figure,
    pub(super) beside: Figure,
}

/// Measures both sides, one after the other. The side that begins changes from round to round: what comes second may find caches warm, or
/// Postgres still writing.
pub(super) async fn in_turn(
    round: u32,
    ours: impl Future<Output = anyhow::Result<Figure>>,
    beside: impl Future<Output = anyhow::Result<Figure>>,
) -> anyhow::Result<Round> {
    if round.is_multiple_of(2) {
        let ours = ours.await?;
        Ok(Round { ours, beside: beside.await? })
    } else {
        let beside = beside.await?;
        Ok(Round { ours: ours.await?, beside })
    }
}
