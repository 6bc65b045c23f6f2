//! The processor time of the host and of the clients, so that one can tell who used the cores. Only Linux says so.

use std::{fs, time::Instant};

use super::figure::Figure;

/// In which the kernel counts: 100 on each architecture, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// What processes used from when this was made.
pub(super) struct CpuMeter {
    began: Instant,
    host: u32,
    ticks: Option<(u64, u64)>,
}

impl CpuMeter {
    pub(super) fn start(host: u32) -> Self {
        Self { began: Instant::now(), host, ticks: both(host) }
    }

    /// Adds to a figure how many cores the host used, and how many this program, which is the clients.
    pub(super) fn add_to(&self, figure: Figure) -> Figure {
        let (Some((host, clients)), Some((host_before, clients_before))) = (both(self.host), self.ticks) else {
            return figure;
        };
        let cores = |ticks: u64| ticks as f64 / TICKS_PER_SECOND / self.began.elapsed().as_secs_f64();
        figure.with("host_cores", cores(host - host_before)).with("client_cores", cores(clients - clients_before))
    }
}

/// The ticks of the host and of this program.
fn both(host: u32) -> Option<(u64, u64)> {
    Some((ticks(host)?, ticks(std::process::id())?))
}

fn ticks(process: u32) -> Option<u64> {
    ticks_of(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The ticks in user mode and in the kernel: fields 14 and 15. The name in field 2 may have spaces and brackets.
fn ticks_of(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_any_name() {
        let stat = "4711 (gno) mon) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 4 0 100 1000 200";
        assert_eq!(ticks_of(stat), Some(281));
        assert_eq!(ticks_of(""), None);
    }
}
