//! Faults of the network between hosts and Postgres.

use std::time::Duration;

use rand::RngExt;

use super::Injector;
use crate::support::{Doubt, Line, Whose, until};

/// A host that has no builds commits appends only.
const UNTIL_A_COMMIT: Duration = Duration::from_secs(2);

impl Injector {
    /// One host, or, more rarely, all.
    fn some_hosts(&mut self, index: usize) -> Vec<usize> {
        if self.random.random_ratio(1, 4) { self.all() } else { vec![index] }
    }

    fn set_lines(&self, indexes: &[usize], line: Line) {
        indexes.iter().for_each(|index| self.proxies[*index].set(line));
    }

    pub(super) async fn cut_network(&mut self, index: usize) -> Vec<usize> {
        let cut = self.some_hosts(index);
        self.begin_faults(&cut);
        if self.random.random_bool(0.3) {
            for index in &cut {
                self.proxies[*index].cut_once().await;
            }
            return cut;
        }
        self.set_lines(&cut, Line::Cut);
        let outage = self.outage(100..1_000);
        tokio::time::sleep(outage).await;
        self.set_lines(&cut, Line::Open);
        cut
    }

    /// What was sent meanwhile arrives in the end, or the connections are closed.
    pub(super) async fn silence_network(&mut self, index: usize) -> Vec<usize> {
        let silent = self.some_hosts(index);
        self.begin_faults(&silent);
        self.set_lines(&silent, Line::Silent);
        let outage = self.outage(300..1_200);
        tokio::time::sleep(outage).await;
        if self.random.random_bool(0.5) {
            for index in &silent {
                self.proxies[*index].cut_once().await;
            }
        }
        self.set_lines(&silent, Line::Open);
        silent
    }

    /// Requests take longer; none fails.
    pub(super) async fn slow_network(&mut self) -> Vec<usize> {
        let slow = Line::Slow(Duration::from_millis(self.random.random_range(1..10)));
        self.set_lines(&self.all(), slow);
        let outage = self.outage(300..1_200);
        tokio::time::sleep(outage).await;
        self.set_lines(&self.all(), Line::Open);
        Vec::new()
    }

    pub(super) async fn lose_commit(&mut self, index: usize) -> Vec<usize> {
        self.cut_commit(index, Doubt::Lost).await
    }

    pub(super) async fn lose_answer_to_commit(&mut self, index: usize) -> Vec<usize> {
        let doubts = [Doubt::AnswerLost, Doubt::AnswerNotAwaited, Doubt::AnswerNeverComes];
        // The last one takes as long as the hosts wait.
        let choices = if self.is_long { 3 } else { 2 };
        let doubt = doubts[self.random.random_range(0..choices)];
        self.cut_commit(index, doubt).await
    }

    async fn cut_commit(&mut self, index: usize, doubt: Doubt) -> Vec<usize> {
        self.begin_faults(&[index]);
        let whose = if self.random.random_bool(0.5) { Whose::OfAppends } else { Whose::OfOthers };
        let proxy = &self.proxies[index];
        let before = proxy.commits_cut();
        proxy.cut_next_commit(whose, doubt);
        let is_cut = || until("a commit is cut", async || proxy.commits_cut() > before);
        if tokio::time::timeout(UNTIL_A_COMMIT, is_cut()).await.is_err() {
            proxy.cut_next_commit(Whose::OfAppends, doubt);
            is_cut().await;
        }
        vec![index]
    }
}
