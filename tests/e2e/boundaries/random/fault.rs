//! What breaks while clients append: hosts are killed, sessions end, commits and answers to commits are lost.

use std::sync::{Arc, atomic::Ordering};

use rand::{RngExt, rngs::StdRng, seq::SliceRandom};

use super::client::Shared;
use crate::support::{Doubt, Host, Postgres, Proxy, Whose, until};

#[derive(Clone, Copy, Debug)]
enum Fault {
    KillHost,
    /// While it waits for the answer to a commit that was made: its clients do not learn of it.
    KillHostAtCommit,
    KillAllHosts,
    TerminateSessions,
    CutNetwork,
    CutCommit(Doubt),
}

const ALL: [Fault; 8] = [
    Fault::KillHost,
    Fault::KillHostAtCommit,
    Fault::KillAllHosts,
    Fault::TerminateSessions,
    Fault::CutNetwork,
    Fault::CutCommit(Doubt::Lost),
    Fault::CutCommit(Doubt::AnswerNotAwaited),
    Fault::CutCommit(Doubt::AnswerLost),
];

/// Faults, if no other number is given: each kind once.
pub(super) const FAULTS: usize = ALL.len();

/// Answers between two faults …
const ANSWERS: u64 = 300;
/// … and while a host is down.
const ANSWERS_MEANWHILE: u64 = 50;

/// What is broken.
pub(super) struct Injector {
    pub(super) shared: Arc<Shared>,
    pub(super) random: StdRng,
    pub(super) postgres: Postgres,
    /// The way of each host to Postgres.
    pub(super) proxies: Vec<Proxy>,
    pub(super) hosts: Vec<Host>,
}

impl Injector {
    /// Injects so many faults, of each kind equally many, while the clients append.
    pub(super) async fn run(&mut self, faults: usize) {
        self.answers(ANSWERS).await;
        let mut left = Vec::new();
        for _ in 0..faults {
            if left.is_empty() {
                left = ALL.to_vec();
                left.shuffle(&mut self.random);
            }
            let fault = left.pop().unwrap();
            println!("{fault:?} after {} answers", self.shared.answered.load(Ordering::SeqCst));
            self.inject(fault).await;
            self.answers(ANSWERS).await;
        }
    }

    async fn inject(&mut self, fault: Fault) {
        let index = self.random.random_range(0..self.hosts.len());
        match fault {
            Fault::KillHost => {
                self.hosts[index].kill();
                self.answers(ANSWERS_MEANWHILE).await;
                self.restart(index).await;
            }
            Fault::KillHostAtCommit => {
                self.cut_commit(index, Doubt::AnswerNeverComes).await;
                self.hosts[index].kill();
                self.answers(ANSWERS_MEANWHILE).await;
                self.restart(index).await;
            }
            Fault::KillAllHosts => {
                self.hosts.iter_mut().for_each(Host::kill);
                for index in 0..self.hosts.len() {
                    self.restart(index).await;
                }
            }
            Fault::TerminateSessions => {
                let Self { postgres, random, .. } = self;
                postgres.terminate_sessions(|| random.random_bool(0.6)).await;
            }
            Fault::CutNetwork => self.proxies[index].cut_once().await,
            Fault::CutCommit(doubt) => self.cut_commit(index, doubt).await,
        }
    }

    async fn cut_commit(&self, index: usize, doubt: Doubt) {
        let proxy = &self.proxies[index];
        let before = proxy.commits_cut();
        proxy.cut_next_commit(Whose::OfAppends, doubt);
        until("a commit was cut", async || proxy.commits_cut() > before || self.has_stopped()).await;
    }

    async fn restart(&mut self, index: usize) {
        self.hosts[index].restart().await;
        self.hosts[index].url().clone_into(&mut self.shared.urls.lock().unwrap()[index]);
    }

    /// Waits until so many further appends were answered.
    async fn answers(&self, further: u64) {
        let wanted = self.shared.answered.load(Ordering::SeqCst) + further;
        until("appends are answered", async || {
            self.shared.answered.load(Ordering::SeqCst) >= wanted || self.has_stopped()
        })
        .await;
    }

    /// Whether a client has ended the run.
    fn has_stopped(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }
}
