//! The processor time of the host and of the clients, so that one can tell who used the cores. Only Linux says so.

use std::time::{Duration, Instant};

use nix::{time::ClockId, unistd::Pid};

use super::figure::Figure;

/// What processes used from when this was made.
pub(super) struct CpuMeter {
    began: Instant,
    host: u32,
    used: Option<(Duration, Duration)>,
}

impl CpuMeter {
    pub(super) fn start(host: u32) -> Self {
        Self { began: Instant::now(), host, used: both(host) }
    }

    /// Adds to a figure how many cores the host used, and how many this program, which is the clients.
    pub(super) fn add_to(&self, figure: Figure) -> Figure {
        let (Some((host, clients)), Some((host_before, clients_before))) = (both(self.host), self.used) else {
            return figure;
        };
        let cores = |used: Duration| used.as_secs_f64() / self.began.elapsed().as_secs_f64();
        let (host, clients) = (host.saturating_sub(host_before), clients.saturating_sub(clients_before));
        figure.with("host_cores", cores(host)).with("client_cores", cores(clients))
    }
}

/// What the host and this program have used.
fn both(host: u32) -> Option<(Duration, Duration)> {
    Some((used(host)?, used(std::process::id())?))
}

/// What all threads of a process have used, those that have ended among them. /proc has it too, in hundredths of a second, which is too
/// coarse for a host that does next to nothing.
fn used(process: u32) -> Option<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process).ok()?)).ok()?;
    Some(clock.now().ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_counted_and_one_that_is_not_there_is_left_out() {
        let before = used(std::process::id()).unwrap();
        let mut spun = 0_u64;
        while used(std::process::id()).unwrap() == before {
            spun += 1;
        }
        assert!(used(std::process::id()).unwrap() > before, "{spun}");
        // Linux has no process beyond 4,194,304.
        assert_eq!(CpuMeter::start(4_194_305).add_to(Figure::default()), Figure::default());
    }
}
