//! What the process takes of its machine, under the names that Prometheus' client libraries have in common.

use super::{names, readings::Readings};

/// Adds what is known of this process: nothing but on Linux, where `/proc` says it.
pub fn add_process(readings: &mut Readings) {
    #[cfg(target_os = "linux")]
    // What cannot be read is not shown: a scrape is answered whatever the machine does.
    let _ = linux::add(readings);
    #[cfg(not(target_os = "linux"))]
    let _ = (readings, names::ALL);
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::{Current as _, ProcResult, Uptime, WithCurrentSystemInfo as _, process::Process};

    use super::{Readings, names};

    pub(super) fn add(readings: &mut Readings) -> ProcResult<()> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        readings.add(names::PROCESS_CPU, &[], (stat.utime + stat.stime) as f64 / ticks);
        readings.add_count(names::PROCESS_RESIDENT, &[], stat.rss_bytes().get());
        readings.add_count(names::PROCESS_VIRTUAL, &[], stat.vsize);
        readings.add_count(names::PROCESS_THREADS, &[], stat.num_threads);
        let age = Uptime::current()?.uptime - stat.starttime as f64 / ticks;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        readings.add(names::PROCESS_START, &[], (now.as_secs_f64() - age).round());
        readings.add_count(names::PROCESS_FILES, &[], process.fd_count()?);
        if let procfs::process::LimitValue::Value(max) = process.limits()?.max_open_files.soft_limit {
            readings.add_count(names::PROCESS_MAX_FILES, &[], max);
        }
        Ok(())
    }
}
