//! Faults of Postgres, and of those who administer it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use rand::RngExt;
use sqlx::Executor;

use super::Injector;

impl Injector {
    /// An orderly stop, or else an immediate one or a kill.
    pub(super) async fn end_postgres(&mut self, index: usize, at_once: bool) -> Vec<usize> {
        let immediate = if self.random.random_bool(0.5) { Signal::SIGQUIT } else { Signal::SIGKILL };
        self.begin_replay(index).await;
        self.begin_faults(&self.all());
        self.postgres.end(if at_once { immediate } else { Signal::SIGINT }).await;
        let outage = self.outage(0..400);
        tokio::time::sleep(outage).await;
        self.postgres.start_again().await;
        self.all()
    }

    pub(super) async fn kill_session(&mut self, index: usize) -> Vec<usize> {
        self.begin_replay(index).await;
        self.begin_faults(&self.all());
        let random = &mut self.random;
        self.postgres.kill_session(|sessions| random.random_range(0..sessions)).await;
        self.all()
    }

    pub(super) async fn terminate_sessions(&mut self, index: usize) -> Vec<usize> {
        self.begin_replay(index).await;
        self.begin_faults(&self.all());
        for _ in 0..self.random.random_range(1..4) {
            let share = [0.1, 0.5, 1.0][self.random.random_range(0..3)];
            let random = &mut self.random;
            self.postgres.terminate_sessions(|| random.random_bool(share)).await;
            self.pause(200).await;
        }
        self.all()
    }

    pub(super) async fn freeze_postgres(&mut self) -> Vec<usize> {
        self.begin_faults(&self.all());
        let frozen = self.postgres.freeze();
        let outage = self.outage(300..1_500);
        tokio::time::sleep(outage).await;
        drop(frozen);
        self.all()
    }

    /// For all sessions; or only for new ones, which keep it for as long as they live.
    pub(super) async fn make_read_only(&mut self) -> Vec<usize> {
        self.begin_faults(&self.all());
        let old_sessions = self.random.random_bool(0.5);
        self.postgres.set_read_only(true, old_sessions).await;
        if !old_sessions {
            self.postgres.terminate_sessions(|| true).await;
        }
        let outage = self.outage(300..1_200);
        tokio::time::sleep(outage).await;
        self.postgres.set_read_only(false, old_sessions).await;
        self.all()
    }

    pub(super) async fn fill_disk(&mut self, index: usize) -> Vec<usize> {
        self.begin_replay(index).await;
        self.begin_faults(&self.all());
        let (free, use_up_wal) = (self.random.random_range(0..256 * 1024), self.random.random_bool(0.3));
        self.postgres.fill_disk(free, use_up_wal).await;
        let outage = self.outage(300..1_500);
        tokio::time::sleep(outage).await;
        self.postgres.make_room_on_disk().await;
        self.all()
    }

    /// By seconds: leases are counted by this clock, so a jump back makes them longer.
    pub(super) async fn step_postgres_clock(&mut self) -> Vec<usize> {
        let step = self.random.random_range(2_000..5_000) * if self.random.random_bool(0.5) { 1 } else { -1 };
        self.begin_faults(&self.all());
        let clock = self.postgres_clock.clone().unwrap();
        clock.set_ahead(step);
        let mut session = self.postgres.administer().await;
        let seconds = "SELECT extract(epoch FROM clock_timestamp())::float8";
        let found: f64 = sqlx::query_scalar(seconds).fetch_one(&mut session).await.unwrap();
        let right = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let ahead = found - right.as_secs_f64();
        assert!((ahead * 1_000.0 - step as f64).abs() < 1_000.0, "the clock of Postgres is {ahead} s ahead");
        let outage = self.outage(300..1_200);
        tokio::time::sleep(outage).await;
        clock.set_ahead(0);
        self.all()
    }

    /// As a dump or the creation of an index takes it. Nothing fails, and nothing but the one build stands still.
    pub(super) async fn hold_lock(&mut self) -> Vec<usize> {
        let views =
            "SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'read_models' ORDER BY 1";
        let tables =
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 'build%' ORDER BY 1";
        let of_table = self.random.random_bool(0.5);
        let pick: f64 = self.random.random_range(0.0..1.0);
        let mut session = self.postgres.administer().await;
        loop {
            let names: Vec<String> =
                sqlx::query_scalar(if of_table { tables } else { views }).fetch_all(&mut session).await.unwrap();
            let name = &names[(pick * names.len() as f64) as usize];
            let lock = if of_table {
                format!("BEGIN; LOCK TABLE {name} IN SHARE MODE")
            } else {
                format!("BEGIN; SELECT count(*) FROM {name}")
            };
            // It may have been dropped since.
            if session.execute(lock.as_str()).await.is_ok() {
                break;
            }
            session.execute("ROLLBACK").await.unwrap();
        }
        let outage = self.outage(300..1_500);
        tokio::time::sleep(outage).await;
        session.execute("ROLLBACK").await.unwrap();
        Vec::new()
    }

    /// A host dies while Postgres is stopped.
    pub(super) async fn end_postgres_and_kill_host(&mut self, index: usize) -> Vec<usize> {
        self.begin_faults(&self.all());
        self.postgres.end(Signal::SIGQUIT).await;
        self.hosts[index].kill();
        let outage = self.outage(0..400);
        tokio::time::sleep(outage).await;
        self.postgres.start_again().await;
        self.restart(index).await;
        self.all()
    }

    /// A host is frozen while Postgres stops and starts.
    pub(super) async fn freeze_host_and_end_postgres(&mut self, index: usize) -> Vec<usize> {
        self.begin_faults(&self.all());
        self.hosts[index].signal(Signal::SIGSTOP);
        self.postgres.end(Signal::SIGQUIT).await;
        self.postgres.start_again().await;
        let frozen: Duration = self.past_lease();
        tokio::time::sleep(frozen).await;
        self.hosts[index].signal(Signal::SIGCONT);
        self.all()
    }
}
