//! What breaks hosts and Postgres, and mends them again.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use rand::{RngExt, rngs::StdRng};
use reqwest::{Method, StatusCode};

use super::{doors::Doors, truth::Projection};
use crate::support::{Host, Postgres, until};

/// The hosts' lease, in seconds.
pub(super) const LEASE: &str = "1";

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillHost,
    KillAllHosts,
    /// Past its lease.
    FreezeHost,
    /// In order, at once, or by killing it.
    EndPostgres(Signal),
    /// Which makes the server end all other sessions, and recover.
    KillSession,
    /// A host dies while there is no Postgres.
    EndPostgresAndKillHost,
    /// A host sleeps through the end of Postgres, and the beginning.
    FreezeHostAndEndPostgres,
}

pub(super) struct Mischief {
    pub(super) doors: Arc<Doors>,
    pub(super) random: StdRng,
    pub(super) hosts: Vec<Host>,
    pub(super) postgres: Postgres,
}

impl Mischief {
    /// Does so many things, each of which is mended before the next.
    pub(super) async fn make(mut self, steps: usize) -> Self {
        for step in 1..=steps {
            self.pause(800).await;
            let fault = self.choose();
            println!("step {step} of {steps}: {fault:?}");
            self.carry_out(fault).await;
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

    async fn carry_out(&mut self, fault: Fault) {
        let place = self.random.random_range(0..self.hosts.len());
        let all: Vec<usize> = (0..self.hosts.len()).collect();
        match fault {
            Fault::KillHost => self.kill_hosts(&[place]).await,
            Fault::KillAllHosts => self.kill_hosts(&all).await,
            Fault::FreezeHost => {
                self.hosts[place].signal(Signal::SIGSTOP);
                self.sleep_past_lease().await;
                self.hosts[place].signal(Signal::SIGCONT);
            }
            Fault::EndPostgres(signal) => {
                self.begin_replay(place).await;
                self.break_down(&all);
                self.postgres.end(signal).await;
                self.pause(400).await;
                self.postgres.start_again().await;
                self.mend(&all).await;
            }
            Fault::KillSession => {
                self.begin_replay(place).await;
                self.break_down(&all);
                let random = &mut self.random;
                self.postgres.kill_session(|sessions| random.random_range(0..sessions)).await;
                self.mend(&all).await;
            }
            Fault::EndPostgresAndKillHost => {
                self.break_down(&all);
                self.postgres.end(Signal::SIGQUIT).await;
                self.hosts[place].kill();
                self.pause(400).await;
                self.postgres.start_again().await;
                self.restart(place).await;
                self.mend(&all).await;
            }
            Fault::FreezeHostAndEndPostgres => {
                self.break_down(&all);
                self.hosts[place].signal(Signal::SIGSTOP);
                self.postgres.end(Signal::SIGQUIT).await;
                self.postgres.start_again().await;
                self.sleep_past_lease().await;
                self.hosts[place].signal(Signal::SIGCONT);
                self.mend(&all).await;
            }
        }
    }

    /// Begins a replay, whose commits do not wait for the disk: whoever kills Postgres now may take some of them along.
    async fn begin_replay(&mut self, place: usize) {
        let projection = Projection::ALL[self.random.random_range(0..Projection::ALL.len())].name();
        let path = format!("/v1/projections/{projection}/rebuild?activate=manual");
        let host = &self.hosts[place];
        // A host may have connections left from before the last fault, and answers 503 for each.
        until("a replay begins", async || host.post(&path).await.status == StatusCode::CREATED).await;
        self.pause(500).await;
    }

    async fn kill_hosts(&mut self, places: &[usize]) {
        self.break_down(places);
        for place in places {
            self.hosts[*place].kill();
        }
        self.pause(300).await;
        for place in places {
            self.restart(*place).await;
        }
        self.mend(places).await;
    }

    async fn restart(&mut self, place: usize) {
        self.hosts[place].restart().await;
        self.doors.move_to(place, self.hosts[place].url());
    }

    fn break_down(&self, places: &[usize]) {
        places.iter().for_each(|place| self.doors.break_down(*place));
    }

    /// Waits until hosts answer; from there on they have to.
    async fn mend(&self, places: &[usize]) {
        for place in places {
            let host = &self.hosts[*place];
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
            self.doors.mend(*place);
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
