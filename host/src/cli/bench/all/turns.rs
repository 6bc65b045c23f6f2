//! The two sides of a round.

use super::figure::Figure;

/// What a round measured.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) ours: Figure,
    pub(super) beside: Figure,
}

/// Measures both sides twice, the first in the beginning and in the end, and takes the means: what changes evenly meanwhile, such as the size
/// of a log, weighs the same on both. For differences of a few percent.
pub(super) async fn there_and_back(
    round: u32,
    ours: impl AsyncFn() -> anyhow::Result<Figure>,
    beside: impl AsyncFn() -> anyhow::Result<Figure>,
) -> anyhow::Result<Round> {
    let there = in_turn(round, ours(), beside()).await?;
    let back = in_turn(round + 1, ours(), beside()).await?;
    // Of two values, the median is the mean.
    let mean = |there, back| Figure::median_of(&[there, back]);
    Ok(Round { ours: mean(there.ours, back.ours), beside: mean(there.beside, back.beside) })
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// Sides that are slower each time by as much: only who is measured there and back again gets equal figures.
    #[tokio::test]
    async fn what_changes_evenly_weighs_the_same_on_both_sides() {
        for (round, order) in [(0, "ABBA"), (1, "BAAB")] {
            let (speed, measured) = (Cell::new(100.0), RefCell::new(String::new()));
            let side = |name: char, factor: f64| {
                measured.borrow_mut().push(name);
                speed.set(speed.get() - 10.0);
                Ok(Figure { failures: 1, ..Figure::of(speed.get() * factor) })
            };
            let round = there_and_back(round, async || side('A', 0.5), async || side('B', 1.0)).await.unwrap();
            assert_eq!(*measured.borrow(), order);
            assert_eq!((round.ours.value, round.beside.value), (37.5, 75.0), "{order}");
            assert_eq!((round.ours.failures, round.beside.failures), (2, 2));
        }
    }
}
