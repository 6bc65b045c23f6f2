//! Comparing with an earlier run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{report::Report, scale::Scale};

/// An earlier run.
#[derive(Debug)]
pub(super) struct Earlier {
    file: PathBuf,
    report: EarlierReport,
}

/// What is compared of its JSON.
#[derive(Debug, Deserialize)]
struct EarlierReport {
    events: u64,
    rows: Vec<EarlierRow>,
}

#[derive(Debug, Deserialize)]
struct EarlierRow {
    name: String,
    ratio: f64,
    failures: u64,
}

impl Earlier {
    /// Reads the file of an earlier run.
    ///
    /// # Errors
    /// It cannot be read, or measured something else.
    pub(super) fn read(file: &Path, scale: Scale) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let report: EarlierReport = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a file that `gnomon bench all --json` wrote", file.display()))?;
        if report.events != scale.events {
            bail!(
                "{} was measured with --events {}; other numbers of events have other ratios: measure with the same number",
                file.display(),
                report.events
            );
        }
        Ok(Self { file: file.to_owned(), report })
    }

    /// Compares with a run; only rows that both have.
    ///
    /// # Errors
    /// A ratio is lower by more than the tolerance, a percentage, or more requests failed. All such rows are named.
    pub(super) fn check(&self, report: &Report, tolerance: f64) -> anyhow::Result<()> {
        let mut worse = Vec::new();
        for now in &report.rows {
            let Some(before) = self.report.rows.iter().find(|before| before.name == now.name) else { continue };
            if now.is_judged_by_ratio() && now.ratio < before.ratio * (1.0 - tolerance / 100.0) {
                let drop = 100.0 * (1.0 - now.ratio / before.ratio);
                worse.push(format!(
                    "{}: the ratio is {:.3}, and was {:.3}: {drop:.0} % less, where {tolerance} % are tolerated",
                    now.name, now.ratio, before.ratio
                ));
            }
            if now.failures > before.failures {
                worse.push(format!("{}: {} requests failed, and before {}", now.name, now.failures, before.failures));
            }
        }
        if !worse.is_empty() {
            bail!(
                "the host is slower than in {}, each beside its limit:\n  {}",
                self.file.display(),
                worse.join("\n  ")
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::cli::bench::all::{figure::Figure, report::MeasuredRow, row::Unit, rows::ROWS, turns::Round};

    const SCALE: Scale = Scale { events: 1000, time: Duration::from_secs(1), rounds: 1 };

    /// A run of all rows.
    fn report(failures: u64) -> Report {
        let round = Round { ours: Figure { failures, ..Figure::of(50.0) }, beside: Figure::of(100.0) };
        let rows = ROWS.iter().map(|row| MeasuredRow::of(row, std::slice::from_ref(&round))).collect();
        Report::new("15.20".to_owned(), SCALE, rows, None)
    }

    fn check(earlier: &Value, report: &Report) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("earlier.json");
        fs::write(&file, earlier.to_string()).unwrap();
        let error = |error: anyhow::Error| error.to_string().replace(&file.display().to_string(), "<file>");
        Earlier::read(&file, SCALE).map_err(error)?.check(report, 25.0).map_err(error)
    }

    fn with_ratios(factor: f64) -> Value {
        let mut earlier = serde_json::to_value(report(0)).unwrap();
        for row in earlier["rows"].as_array_mut().unwrap() {
            row["ratio"] = json!(row["ratio"].as_f64().unwrap() * factor);
        }
        earlier
    }

    #[test]
    fn a_run_is_as_fast_as_itself_and_noise_is_tolerated() {
        for factor in [1.0, 0.5, 1.3] {
            assert_eq!(check(&with_ratios(factor), &report(0)), Ok(()), "{factor}");
        }
    }

    #[test]
    fn each_row_that_was_twice_as_fast_is_named() {
        let error = check(&with_ratios(2.0), &report(0)).unwrap_err();
        let named: Vec<&str> =
            error.lines().skip(1).filter_map(|line| line.trim().split_once(": ")).map(|(row, _)| row).collect();
        // The longest time of a request is no measure of speed, and what idle builds use is next to nothing.
        let not_judged = [Unit::LongestMilliseconds, Unit::PercentOfCore];
        let judged: Vec<&str> = ROWS.iter().filter(|row| !not_judged.contains(&row.unit)).map(|row| row.name).collect();
        assert_eq!(named, judged);
        let first = error.lines().nth(1).unwrap();
        assert_eq!(first.trim(), "append-1: the ratio is 0.500, and was 1.000: 50 % less, where 25 % are tolerated");
    }

    #[test]
    fn requests_that_fail_are_worse_however_fast_the_rest_is() {
        let error = check(&with_ratios(0.1), &report(2)).unwrap_err();
        let last = ROWS[ROWS.len() - 1].name;
        assert!(error.ends_with(&format!("{last}: 2 requests failed, and before 0")), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_compared_is_refused_by_name() {
        let error = check(&json!({"events": 7, "rows": []}), &report(0)).unwrap_err();
        assert!(error.starts_with("<file> was measured with --events 7"), "{error}");
        let error = check(&json!({"rows": 7}), &report(0)).unwrap_err();
        assert_eq!(error, "<file> is not a file that `gnomon bench all --json` wrote");
    }
}
