//! What one side of a row measured, and medians.

use std::{collections::BTreeMap, time::Duration};

/// What was measured once, or the median of several rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figure {
    /// In the unit of its row.
    pub(super) value: f64,
    /// Requests that failed, in all rounds.
    pub(super) failures: u64,
    /// More about it, by name; the names end in their units.
    pub(super) details: BTreeMap<&'static str, f64>,
}

impl Figure {
    pub(super) fn of(value: f64) -> Self {
        Self { value, ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: f64) -> Self {
        self.details.insert(name, value);
        self
    }

    pub(super) fn detail(&self, name: &str) -> Option<f64> {
        self.details.get(name).copied()
    }

    /// The median of several rounds, each detail by itself; the sum of failures.
    pub(super) fn median_of(rounds: &[Self]) -> Self {
        let names = rounds.iter().flat_map(|round| round.details.keys().copied());
        let detail = |name| median(rounds.iter().filter_map(|round| round.detail(name)).collect());
        Self {
            value: median(rounds.iter().map(|round| round.value).collect()),
            failures: rounds.iter().map(|round| round.failures).sum(),
            details: names.map(|name| (name, detail(name))).collect(),
        }
    }
}

/// The median; of an even number, the mean of the two in the middle. 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        Some(upper) if values.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(values[middle - 1], *upper),
        None => 0.0,
    }
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }

    #[test]
    fn failures_are_summed_and_details_have_medians_of_their_own() {
        let round = |value, failures, p50| Figure { failures, ..Figure::of(value).with("p50_ms", p50) };
        let median = Figure::median_of(&[round(1.0, 2, 30.0), round(3.0, 0, 20.0), round(2.0, 1, 10.0)]);
        assert_eq!(median, round(2.0, 3, 20.0));
    }
}
