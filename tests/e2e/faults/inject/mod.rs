//! Injects faults, repairs them, and waits until all is as before.

mod hosts;
mod lifecycle;
mod network;
mod postgres;
mod recovery;

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::StatusCode;

use super::{
    addresses::Addresses,
    expected::Projection,
    fault::{Deck, Fault},
    record::Record,
    writers::Account,
};
use crate::support::{Clock, Host, Postgres, Proxy, until};

pub(super) use self::lifecycle::{UPCASTER, upcaster_is_active};

/// The hosts' lease, in seconds.
pub(super) const LEASE: &str = "1";
/// Batches of a host, and of the one that takes its place. Small ones make more commits that a fault can hit.
pub(super) const BATCHES: [&str; 2] = ["--batch-events=50", "--batch-events=37"];

/// What is broken, and what is needed for it.
pub(super) struct Injector {
    pub(super) addresses: Arc<Addresses>,
    pub(super) seed: u64,
    /// The choices of one step.
    pub(super) random: StdRng,
    pub(super) deck: Deck,
    /// Whether there is time for outages that are longer than the hosts' own timeouts.
    pub(super) is_long: bool,
    pub(super) hosts: Vec<Host>,
    /// The way of each host to Postgres.
    pub(super) proxies: Vec<Proxy>,
    /// The clock of each host, if they have any.
    pub(super) host_clocks: Vec<Clock>,
    pub(super) postgres: Postgres,
    pub(super) postgres_clock: Option<Clock>,
    /// The component of the projection that is deleted and deployed.
    pub(super) brief: Vec<u8>,
    /// What is appended to learn whether all is as before.
    pub(super) account: Account,
    pub(super) record: Record,
}

impl Injector {
    /// Injects so many faults, one after the other; each is repaired before the next.
    pub(super) async fn run(mut self, steps: usize) -> Self {
        let mut draws = StdRng::seed_from_u64(self.seed);
        for step in 1..=steps {
            // Choices do not depend on how many an earlier step has made, which differs from run to run.
            self.random = StdRng::seed_from_u64(self.seed.wrapping_add(step as u64));
            self.pause(200).await;
            let fault = self.deck.draw(&mut draws);
            self.addresses.begin_step(step);
            println!("step {step} of {steps}: {fault:?}");
            let began = Instant::now();
            let broken = self.inject(fault).await;
            let ended = Instant::now();
            self.end_faults(&broken).await;
            let stall = self.recover(ended).await;
            let lasted = (ended - began).as_secs_f64();
            println!("    hosts {broken:?}, {lasted:.1} s, and {:.1} s until all was as before", stall.as_secs_f64());
            self.record.add(fault, began, stall);
        }
        self
    }

    /// Injects a fault and repairs it. Returns the hosts that may fail until they are seen to answer.
    async fn inject(&mut self, fault: Fault) -> Vec<usize> {
        let index = self.random.random_range(0..self.hosts.len());
        let all: Vec<usize> = (0..self.hosts.len()).collect();
        match fault {
            Fault::KillHost => self.kill_hosts(vec![index]).await,
            Fault::KillAllHosts => self.kill_hosts(all).await,
            Fault::FreezeHost => self.freeze_host(index).await,
            Fault::ReplaceHost => self.replace_host(index).await,
            Fault::StepHostClock => self.step_host_clock(index).await,
            Fault::CutNetwork => self.cut_network(index).await,
            Fault::SilenceNetwork => self.silence_network(index).await,
            Fault::SlowNetwork => self.slow_network().await,
            Fault::LoseCommit => self.lose_commit(index).await,
            Fault::LoseAnswerToCommit => self.lose_answer_to_commit(index).await,
            Fault::StopPostgres => self.end_postgres(index, false).await,
            Fault::CrashPostgres => self.end_postgres(index, true).await,
            Fault::KillSession => self.kill_session(index).await,
            Fault::TerminateSessions => self.terminate_sessions(index).await,
            Fault::FreezePostgres => self.freeze_postgres().await,
            Fault::MakeReadOnly => self.make_read_only().await,
            Fault::FillDisk => self.fill_disk(index).await,
            Fault::StepPostgresClock => self.step_postgres_clock().await,
            Fault::HoldLock => self.hold_lock().await,
            Fault::EndPostgresAndKillHost => self.end_postgres_and_kill_host(index).await,
            Fault::FreezeHostAndEndPostgres => self.freeze_host_and_end_postgres(index).await,
            Fault::ChangeUpcasters => self.change_upcasters(index).await,
            Fault::RetireBuild => self.retire_build(index).await,
            Fault::DeleteProjection => self.delete_projection(index).await,
        }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.hosts.len()).collect()
    }

    /// Begins a replay, whose commits do not wait for the disk: a crash of Postgres may lose some of them. Returns its projection and
    /// its build.
    async fn begin_replay(&mut self, index: usize) -> (&'static str, u64) {
        let projection = Projection::READ[self.random.random_range(0..Projection::READ.len())].name();
        let path = format!("/v1/projections/{projection}/rebuild?activate=manual");
        let host = &self.hosts[index];
        let mut build = 0;
        until("a replay begins", async || {
            let answer = host.post(&path).await;
            build = answer.body["build"].as_u64().unwrap_or_default();
            answer.status == StatusCode::CREATED
        })
        .await;
        self.pause(200).await;
        (projection, build)
    }

    fn begin_faults(&self, indexes: &[usize]) {
        indexes.iter().for_each(|index| self.addresses.begin_fault(*index));
    }

    async fn pause(&mut self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(0..milliseconds))).await;
    }

    /// For how long something is broken, in milliseconds; in long runs, in one of four cases, up to half a minute.
    fn outage(&mut self, usual: Range<u64>) -> Duration {
        let (short, long) = (self.random.random_range(usual), self.random.random_range(2_000..30_000));
        let is_long = self.random.random_ratio(1, 4) && self.is_long;
        Duration::from_millis(if is_long { long } else { short })
    }
}
