//! What the faults of a run did, as a table.

use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

use super::{fault::Fault, writers::Written};

/// A fault that was injected. Steps are counted from 1; 0 is before the first.
struct Injected {
    fault: Fault,
    began: Instant,
    /// From its end until appends were answered and each build moved.
    stall: Duration,
}

/// The faults of a run, one for each step. It prints the table also when a test fails.
#[derive(Default)]
pub(super) struct Record {
    injected: Vec<Injected>,
    lost: BTreeMap<usize, usize>,
    doubled: BTreeMap<usize, usize>,
    pauses: BTreeMap<usize, Duration>,
}

impl Record {
    pub(super) fn add(&mut self, fault: Fault, began: Instant, stall: Duration) {
        self.injected.push(Injected { fault, began, stall });
    }

    /// Notes events that were answered as appended and are not in the log, or are there twice, by the step in which they were answered.
    pub(super) fn add_events(&mut self, lost: &[usize], doubled: &[usize]) {
        lost.iter().for_each(|step| *self.lost.entry(*step).or_default() += 1);
        doubled.iter().for_each(|step| *self.doubled.entry(*step).or_default() += 1);
    }

    /// Notes for each step how long no append of any writer was answered.
    pub(super) fn add_pauses(&mut self, written: &[Written]) {
        let mut answered: Vec<Instant> = written.iter().map(|written| written.at).collect();
        answered.sort_unstable();
        for (earlier, later) in answered.iter().zip(answered.iter().skip(1)) {
            // Of the fault during which it ended, or after which.
            let step = self.injected.iter().take_while(|injected| injected.began < *later).count();
            let pause = self.pauses.entry(step).or_default();
            *pause = (*pause).max(*later - *earlier);
        }
    }

    pub(super) fn table(&self) -> String {
        let mut kinds: BTreeMap<Fault, Vec<usize>> = BTreeMap::new();
        for (injected, step) in self.injected.iter().zip(1..) {
            kinds.entry(injected.fault).or_default().push(step);
        }
        let mut table = String::from(
            "| fault | `GNOMON_TEST_FAULTS_ONLY=` | injected | lost | doubled | longest stall | appends paused |\n|---|---|--:|--:|--:|--:|--:|\n",
        );
        for (fault, steps) in &kinds {
            let sum = |counts: &BTreeMap<usize, usize>| steps.iter().filter_map(|step| counts.get(step)).sum::<usize>();
            let stall = steps.iter().map(|step| self.injected[step - 1].stall).max().unwrap_or_default();
            let pause = steps.iter().filter_map(|step| self.pauses.get(step)).max().copied().unwrap_or_default();
            let _ = writeln!(
                table,
                "| {} | `{}` | {} | {} | {} | {:.1} s | {:.1} s |",
                fault.what(),
                fault.name(),
                steps.len(),
                sum(&self.lost),
                sum(&self.doubled),
                stall.as_secs_f64(),
                pause.as_secs_f64()
            );
        }
        table
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        println!("{}", self.table());
    }
}
