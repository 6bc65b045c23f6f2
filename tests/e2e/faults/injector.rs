//! Faults of hosts and of Postgres, and their repair.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use rand::{RngExt, rngs::StdRng};
use reqwest::{Method, StatusCode};

use super::{addresses::Addresses, expected::Projection};
use crate::support::{Host, Postgres, until};

/// The hosts' lease, in seconds.
pub(super) const LEASE: &str = "1";

/// A fault.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillHost,
    KillAllHosts,
    /// For longer than its lease.
    FreezeHost,
    /// With this signal: an orderly stop, an immediate one, or a kill.
    EndPostgres(Signal),
    /// After that the server ends all other sessions and recovers.
    KillSession,
    /// A host dies while Postgres is stopped.
    EndPostgresAndKillHost,
    /// A host is frozen while Postgres stops and starts.
    FreezeHostAndEndPostgres,
}

pub(super) struct Injector {
    pub(super) addresses: Arc<Addresses>,
    pub(super) random: StdRng,
    pub(super) hosts: Vec<Host>,
    pub(super) postgres: Postgres,
}

impl Injector {
    /// Injects so many faults, one after the other; each is repaired before the next.
    pub(super) async fn run(mut self, steps: usize) -> Self {
        for step in 1..=steps {
            self.pause(800).await;
            let fault = self.choose();
            println!("step {step} of {steps}: {fault:?}");
            self.inject(fault).await;
        }
        self
    }

    fn choose(&mut self) -> Fault {
        let signals = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL];
        let signal = signals[self.random.random_range(0..signals.len())];
        match self.random.random_range(0..12) {
            0..3 => Fault::KillHost,
            3 => Fault::KillAllHosts,
            4..6 => Fault::FreezeHost,
            6..8 => Fault::EndPostgres(signal),
            8..10 => Fault::KillSession,
            10 => Fault::EndPostgresAndKillHost,
            _ => Fault::FreezeHostAndEndPostgres,
        }
    }

    async fn inject(&mut self, fault: Fault) {
        let index = self.random.random_range(0..self.hosts.len());
        let all: Vec<usize> = (0..self.hosts.len()).collect();
        match fault {
            Fault::KillHost => self.kill_hosts(&[index]).await,
            Fault::KillAllHosts => self.kill_hosts(&all).await,
            Fault::FreezeHost => {
                self.hosts[index].signal(Signal::SIGSTOP);
                self.sleep_past_lease().await;
                self.hosts[index].signal(Signal::SIGCONT);
            }
            Fault::EndPostgres(signal) => {
                self.begin_replay(index).await;
                self.begin_faults(&all);
                self.postgres.end(signal).await;
                self.pause(400).await;
                self.postgres.start_again().await;
                self.end_faults(&all).await;
            }
            Fault::KillSession => {
                self.begin_replay(index).await;
                self.begin_faults(&all);
                let random = &mut self.random;
                self.postgres.kill_session(|sessions| random.random_range(0..sessions)).await;
                self.end_faults(&all).await;
            }
            Fault::EndPostgresAndKillHost => {
                self.begin_faults(&all);
                self.postgres.end(Signal::SIGQUIT).await;
                self.hosts[index].kill();
                self.pause(400).await;
                self.postgres.start_again().await;
                self.restart(index).await;
                self.end_faults(&all).await;
            }
            Fault::FreezeHostAndEndPostgres => {
                self.begin_faults(&all);
                self.hosts[index].signal(Signal::SIGSTOP);
                self.postgres.end(Signal::SIGQUIT).await;
                self.postgres.start_again().await;
                self.sleep_past_lease().await;
                self.hosts[index].signal(Signal::SIGCONT);
                self.end_faults(&all).await;
            }
        }
    }

    /// Begins a replay, whose commits do not wait for the disk: a crash of Postgres may lose some of them.
    async fn begin_replay(&mut self, index: usize) {
        let projection = Projection::ALL[self.random.random_range(0..Projection::ALL.len())].name();
        let path = format!("/v1/projections/{projection}/rebuild?activate=manual");
        let host = &self.hosts[index];
        // A host may still have broken connections from the last fault, and answers 503 for each.
        until("a replay begins", async || host.post(&path).await.status == StatusCode::CREATED).await;
        self.pause(500).await;
    }

    async fn kill_hosts(&mut self, indexes: &[usize]) {
        self.begin_faults(indexes);
        for index in indexes {
            self.hosts[*index].kill();
        }
        self.pause(300).await;
        for index in indexes {
            self.restart(*index).await;
        }
        self.end_faults(indexes).await;
    }

    async fn restart(&mut self, index: usize) {
        self.hosts[index].restart().await;
        self.addresses.move_to(index, self.hosts[index].url());
    }

    fn begin_faults(&self, indexes: &[usize]) {
        indexes.iter().for_each(|index| self.addresses.begin_fault(*index));
    }

    /// Waits until hosts answer; from then on they must not fail.
    async fn end_faults(&self, indexes: &[usize]) {
        for index in indexes {
            let host = &self.hosts[*index];
            until("the host reads again", async || {
                let paths = Projection::ALL.map(|projection| format!("/v1/read-models/{}?limit=1", projection.table()));
                for path in ["/health/ready".to_owned()].into_iter().chain(paths) {
                    let answer = host.try_send(host.request(Method::GET, &path)).await;
                    if !answer.is_ok_and(|answer| answer.status == StatusCode::OK) {
                        return false;
                    }
                }
                true
            })
            .await;
            self.addresses.end_fault(*index);
        }
    }

    async fn sleep_past_lease(&mut self) {
        let lease = Duration::from_secs(LEASE.parse().unwrap());
        tokio::time::sleep(lease + Duration::from_millis(self.random.random_range(100..800))).await;
    }

    async fn pause(&mut self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(0..milliseconds))).await;
    }
}
