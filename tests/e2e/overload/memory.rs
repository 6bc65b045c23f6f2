//! What a process has in memory, as the kernel counts it.

use std::{fs, time::Duration};

use nix::unistd::Pid;

use crate::support::Host;

pub(super) const MIB: u64 = 1 << 20;

/// The memory of a host.
pub(super) struct Memory(Pid);

impl Memory {
    pub(super) fn of(host: &Host) -> Self {
        Self(host.pid())
    }

    /// `VmRSS`: what it has now.
    pub(super) fn now(&self) -> u64 {
        self.field("VmRSS:")
    }

    /// `VmHWM`: the most that it has had since it was reset.
    fn most(&self) -> u64 {
        self.field("VmHWM:")
    }

    /// The most that it had while something was done.
    pub(super) async fn most_while(&self, work: impl Future<Output = ()>) -> u64 {
        // 5 resets the peak: proc(5), clear_refs.
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").unwrap();
        work.await;
        self.most()
    }

    /// What it has when that does not change any more.
    pub(super) async fn settled(&self) -> u64 {
        const SAMPLES: usize = 10;
        let mut last = Vec::new();
        loop {
            last.push(self.now());
            let recent = &last[last.len().saturating_sub(SAMPLES)..];
            let (least, most) = (recent.iter().min().unwrap(), recent.iter().max().unwrap());
            if recent.len() == SAMPLES && most - least < MIB {
                return *most;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The sockets that it has open.
    pub(super) fn sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().flatten();
        let names = files.filter_map(|file| fs::read_link(file.path()).ok());
        names.filter(|name| name.to_string_lossy().starts_with("socket:")).count()
    }

    fn field(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kilobytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        kilobytes * 1024
    }
}
