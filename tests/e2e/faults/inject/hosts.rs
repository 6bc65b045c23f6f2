//! Faults of hosts.

use std::{
    env, mem,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nix::sys::signal::Signal;
use rand::RngExt;
use reqwest::Method;
use uuid::Uuid;

use super::{BATCHES, Injector, LEASE};
use crate::support::{Host, until};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Frozen for longer, a host may find that Postgres has closed its connections.
const BRIEFLY: Duration = Duration::from_secs(3);

impl Injector {
    pub(super) async fn kill_hosts(&mut self, indexes: Vec<usize>) -> Vec<usize> {
        self.begin_faults(&indexes);
        for index in &indexes {
            self.hosts[*index].kill();
        }
        self.pause(300).await;
        for index in &indexes {
            self.restart(*index).await;
        }
        indexes
    }

    pub(super) async fn restart(&mut self, index: usize) {
        self.hosts[index].restart().await;
        self.addresses.move_to(index, self.hosts[index].url());
    }

    pub(super) async fn freeze_host(&mut self, index: usize) -> Vec<usize> {
        let frozen = self.past_lease();
        // While it is frozen, it does not answer; after that, it answers all that it was asked.
        let broken = if frozen > BRIEFLY { vec![index] } else { Vec::new() };
        self.begin_faults(&broken);
        self.hosts[index].signal(Signal::SIGSTOP);
        tokio::time::sleep(frozen).await;
        self.hosts[index].signal(Signal::SIGCONT);
        broken
    }

    pub(super) fn past_lease(&mut self) -> Duration {
        Duration::from_secs(LEASE.parse().unwrap()) + self.outage(100..800)
    }

    /// Another host is started, and then this one is stopped in order, as when a new release is rolled out. It has another size of
    /// batches; with `GNOMON_TEST_OTHER_PROGRAM`, the path of another `gnomon`, it is that.
    pub(super) async fn replace_host(&mut self, index: usize) -> Vec<usize> {
        self.begin_faults(&[index]);
        let mut launch = self.hosts[index].launch().clone();
        // The other one of the two.
        let batch = launch.arguments.iter_mut().find(|argument| BATCHES.contains(&argument.as_str())).unwrap();
        let is_first = batch == BATCHES[0];
        BATCHES[usize::from(is_first)].clone_into(batch);
        launch.program = env::var_os("GNOMON_TEST_OTHER_PROGRAM").filter(|_| is_first).map(PathBuf::from);
        let next = launch.start().await;
        self.addresses.move_to(index, next.url());
        let replaced: Host = mem::replace(&mut self.hosts[index], next);
        assert!(replaced.stop().await, "the host ends in order");
        vec![index]
    }

    /// By days.
    pub(super) async fn step_host_clock(&mut self, index: usize) -> Vec<usize> {
        let days = self.random.random_range(1..400);
        if self.random.random_bool(0.5) {
            self.host_clocks[index].set_ahead(-days * DAY);
        } else {
            self.host_clocks[index].set_ahead(days * DAY);
            let host = &self.hosts[index];
            until("the clock of the host has jumped", async || ahead(host).await.is_some_and(|ahead| ahead >= days))
                .await;
        }
        let outage = self.outage(100..500);
        tokio::time::sleep(outage).await;
        self.host_clocks[index].set_ahead(0);
        Vec::new()
    }
}

/// By how many days the clock of a host is ahead, or was: the host makes ids of requests, which have its time in them, and whose times
/// never go back.
async fn ahead(host: &Host) -> Option<i64> {
    let answer = host.request(Method::GET, "/health/live").send().await.ok()?;
    let id: Uuid = answer.headers().get("x-request-id")?.to_str().ok()?.parse().ok()?;
    let (seconds, _) = id.get_timestamp()?.to_unix();
    let right = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    // An hour more, since the answer took its time.
    Some((i64::try_from(seconds).ok()? - i64::try_from(right).ok()? + 3_600).div_euclid(24 * 3_600))
}
