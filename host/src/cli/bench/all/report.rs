//! What was measured, as a table for people and as JSON.

use std::collections::BTreeMap;

use comfy_table::Table;
use serde::Serialize;

use super::{
    figure::{Figure, median},
    row::{Row, Unit},
    scale::Scale,
    turns::Round,
};
use crate::cli::{figures, output};

/// All that was measured.
#[derive(Serialize)]
pub(super) struct Report {
    gnomon: &'static str,
    postgres: String,
    cores: usize,
    events: u64,
    seconds: f64,
    rounds: u32,
    pub(super) rows: Vec<MeasuredRow>,
    /// Rows that could not be measured on this server, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<String>,
}

/// A row that was measured: medians of its rounds.
#[derive(Serialize)]
pub(super) struct MeasuredRow {
    pub(super) name: &'static str,
    measured: &'static str,
    beside_is: &'static str,
    unit: Unit,
    ours: f64,
    beside: f64,
    /// How fast the host is where what is beside it is 1: the median of those of the rounds.
    pub(super) ratio: f64,
    /// Those of the rounds, in their order.
    ratios: Vec<f64>,
    /// Requests to the host that failed. Where none may, the first of them ends the benchmark.
    pub(super) failures: u64,
    details: Details,
}

/// More about both sides, by name.
#[derive(Serialize)]
struct Details {
    ours: BTreeMap<&'static str, f64>,
    beside: BTreeMap<&'static str, f64>,
}

impl Report {
    pub(super) fn new(postgres: String, scale: Scale, rows: Vec<MeasuredRow>, left_out: Option<String>) -> Self {
        Self {
            gnomon: env!("CARGO_PKG_VERSION"),
            postgres,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            events: scale.events,
            seconds: scale.time.as_secs_f64(),
            rounds: scale.rounds,
            rows,
            left_out,
        }
    }

    pub(super) fn table(&self) -> Table {
        let mut table =
            output::table(&["ROW", "#OURS", "#BESIDE", "UNIT", "#RATIO", "ROUNDS", "#P50 MS", "#P99 MS", "#FAILED"]);
        for row in &self.rows {
            let (least, most) = range(&row.ratios);
            table.add_row([
                row.name.to_owned(),
                row.unit.number(row.ours),
                row.unit.number(row.beside),
                row.unit.to_string(),
                ratio(row.ratio),
                format!("{} to {}", ratio(least), ratio(most)),
                row.details.both("p50_ms"),
                row.details.both("p99_ms"),
                figures::count(row.failures).to_string(),
            ]);
        }
        table
    }

    /// What the rows are, and which are left out.
    pub(super) fn legend(&self) -> String {
        let line = |row: &MeasuredRow| format!("{}: {}; beside it: {}", row.name, row.measured, row.beside_is);
        self.rows.iter().map(line).chain(self.left_out.clone()).collect::<Vec<_>>().join("\n")
    }
}

impl MeasuredRow {
    pub(super) fn of(row: &Row, rounds: &[Round]) -> Self {
        let side =
            |side: fn(&Round) -> &Figure| Figure::median_of(&rounds.iter().map(side).cloned().collect::<Vec<_>>());
        let (ours, beside) = (side(|round| &round.ours), side(|round| &round.beside));
        let ratios: Vec<f64> =
            rounds.iter().map(|round| row.unit.ratio(round.ours.value, round.beside.value)).collect();
        Self {
            name: row.name,
            measured: row.ours,
            beside_is: row.beside,
            unit: row.unit,
            ours: ours.value,
            beside: beside.value,
            ratio: median(ratios.clone()),
            ratios,
            failures: ours.failures,
            details: Details { ours: ours.details, beside: beside.details },
        }
    }

    /// Whether a lower ratio says that the host has become slower.
    pub(super) fn is_judged_by_ratio(&self) -> bool {
        !matches!(self.unit, Unit::LongestMilliseconds | Unit::PercentOfCore)
    }
}

impl Details {
    /// A detail of both sides, as `1.20 / 0.15`.
    fn both(&self, name: &str) -> String {
        match (self.ours.get(name), self.beside.get(name)) {
            (Some(ours), Some(beside)) => format!("{ours:.2} / {beside:.2}"),
            _ => String::new(),
        }
    }
}

impl Unit {
    fn number(self, value: f64) -> String {
        if self.less_is_better() { format!("{value:.2}") } else { figures::rate(value).to_string() }
    }
}

/// A ratio; a small one with as many digits.
fn ratio(value: f64) -> String {
    if value < 0.1 { format!("{value:.4}") } else { format!("{value:.2}") }
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().reduce(f64::min).unwrap_or_default();
    (least, values.iter().copied().reduce(f64::max).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::bench::all::rows::ROWS;

    #[test]
    fn a_table_has_both_sides_and_the_range_of_the_rounds() {
        let round = |ours: f64, beside: f64| Round {
            ours: Figure::of(ours).with("p50_ms", 1000.0 / ours).with("p99_ms", 2000.0 / ours),
            beside: Figure::of(beside).with("p50_ms", 1000.0 / beside).with("p99_ms", 2000.0 / beside),
        };
        let append = MeasuredRow::of(&ROWS[0], &[round(1000.0, 5000.0), round(1200.0, 4000.0), round(1100.0, 4400.0)]);
        let swap = ROWS.iter().find(|row| row.name == "swap").unwrap();
        let longest = |value: f64| Figure { failures: 1, ..Figure::of(value) };
        let swap = MeasuredRow::of(swap, &[Round { ours: longest(40.0), beside: longest(10.0) }]);
        let scale = Scale { events: 1000, time: Duration::from_secs(1), rounds: 3 };
        let start = ROWS.iter().find(|row| row.name == "start").unwrap();
        let start = MeasuredRow::of(start, &[Round { ours: Figure::of(250.0), beside: Figure::of(2.0) }]);
        let left_out = Some("left out: message-db-16, since it is not there".to_owned());
        let report = Report::new("15.20".to_owned(), scale, vec![append, swap, start], left_out);
        insta::assert_snapshot!(report.table().trim_fmt(), @r"
        ROW         OURS  BESIDE  UNIT          RATIO  ROUNDS                 P50 MS       P99 MS  FAILED
        append-1   1,100   4,400  events/s       0.25  0.20 to 0.30      0.91 / 0.23  1.82 / 0.45       0
        swap       40.00   10.00  ms, longest    0.25  0.25 to 0.25                                     1
        start     250.00    2.00  ms           0.0080  0.0080 to 0.0080                                 0
        ");
        let legend = report.legend();
        assert!(legend.contains("; beside it: the same load without them\n"), "{legend}");
        assert!(legend.ends_with("\nleft out: message-db-16, since it is not there"), "{legend}");
    }
}
