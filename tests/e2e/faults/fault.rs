//! The faults, and which of them a run injects.

use std::env;

use rand::{rngs::StdRng, seq::SliceRandom};

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    KillHost,
    KillAllHosts,
    FreezeHost,
    ReplaceHost,
    StepHostClock,
    CutNetwork,
    SilenceNetwork,
    SlowNetwork,
    LoseCommit,
    LoseAnswerToCommit,
    StopPostgres,
    CrashPostgres,
    KillSession,
    TerminateSessions,
    FreezePostgres,
    MakeReadOnly,
    FillDisk,
    StepPostgresClock,
    HoldLock,
    EndPostgresAndKillHost,
    FreezeHostAndEndPostgres,
    ChangeUpcasters,
    RetireBuild,
    DeleteProjection,
}

/// Name for `GNOMON_TEST_FAULTS_ONLY`, and for people.
const NAMES: &[(Fault, &str, &str)] = &[
    (Fault::KillHost, "kill_host", "a host is killed"),
    (Fault::KillAllHosts, "kill_all_hosts", "all hosts are killed"),
    (Fault::FreezeHost, "freeze_host", "a host is frozen for longer than its lease"),
    (Fault::ReplaceHost, "replace_host", "a host gives way to another one, SIGTERM"),
    (Fault::StepHostClock, "step_host_clock", "the clock of a host jumps, back or ahead"),
    (Fault::CutNetwork, "cut_network", "connections to Postgres are cut"),
    (Fault::SilenceNetwork, "silence_network", "connections to Postgres fall silent"),
    (Fault::SlowNetwork, "slow_network", "the way to Postgres is slow"),
    (Fault::LoseCommit, "lose_commit", "a COMMIT is lost on its way"),
    (Fault::LoseAnswerToCommit, "lose_answer_to_commit", "the answer to a COMMIT is lost"),
    (Fault::StopPostgres, "stop_postgres", "Postgres is restarted"),
    (Fault::CrashPostgres, "crash_postgres", "Postgres ends at once, or is killed"),
    (Fault::KillSession, "kill_session", "a process of Postgres is killed: it recovers"),
    (Fault::TerminateSessions, "terminate_sessions", "pg_terminate_backend at random"),
    (Fault::FreezePostgres, "freeze_postgres", "Postgres is frozen"),
    (Fault::MakeReadOnly, "make_read_only", "Postgres is made read-only"),
    (Fault::FillDisk, "fill_disk", "the disk of Postgres is full"),
    (Fault::StepPostgresClock, "step_postgres_clock", "the clock of Postgres jumps, back or ahead"),
    (Fault::HoldLock, "hold_lock", "an SQL session holds a lock on a table or a view"),
    (Fault::EndPostgresAndKillHost, "end_postgres_and_kill_host", "a host is killed while Postgres is down"),
    (Fault::FreezeHostAndEndPostgres, "freeze_host_and_end_postgres", "a host is frozen while Postgres restarts"),
    (Fault::ChangeUpcasters, "change_upcasters", "an upcaster is activated or deactivated, a host killed"),
    (Fault::RetireBuild, "retire_build", "a build is retired, a host killed"),
    (Fault::DeleteProjection, "delete_projection", "a projection is deleted and deployed, a host killed"),
];

impl Fault {
    /// What happens.
    pub(super) fn what(self) -> &'static str {
        NAMES.iter().find(|(fault, ..)| *fault == self).map(|(.., what)| *what).unwrap()
    }

    /// Its name for `GNOMON_TEST_FAULTS_ONLY`.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(fault, ..)| *fault == self).map(|(_, name, _)| *name).unwrap()
    }
}

/// What this machine can do.
#[derive(Clone, Copy)]
pub(super) struct Means {
    /// Postgres has a disk of its own.
    pub(super) disk: bool,
    /// Processes have clocks of their own.
    pub(super) clocks: bool,
}

/// Draws faults: all of them in random order, and again.
pub(super) struct Deck {
    all: Vec<Fault>,
    left: Vec<Fault>,
}

impl Deck {
    /// All that this machine can do, or those of `GNOMON_TEST_FAULTS_ONLY=kill_host,cut_network`.
    pub(super) fn new(means: Means) -> Self {
        let only = env::var("GNOMON_TEST_FAULTS_ONLY").ok();
        let mut all: Vec<Fault> = NAMES.iter().map(|(fault, ..)| *fault).collect();
        if let Some(only) = only {
            let find = |name: &str| NAMES.iter().find(|(_, found, _)| *found == name);
            let named = only.split(',').map(|name| find(name).unwrap_or_else(|| panic!("no fault is named {name}")));
            all = named.map(|(fault, ..)| *fault).collect();
        }
        if !means.disk {
            println!("left out, since only root can mount a disk of memory: {}", Fault::FillDisk.what());
            all.retain(|fault| *fault != Fault::FillDisk);
        }
        if !means.clocks {
            println!("left out, since there is no C compiler `cc`: clocks that jump");
            all.retain(|fault| !matches!(fault, Fault::StepHostClock | Fault::StepPostgresClock));
        }
        Self { all, left: Vec::new() }
    }

    /// How many kinds there are.
    pub(super) fn kinds(&self) -> usize {
        self.all.len()
    }

    pub(super) fn draw(&mut self, random: &mut StdRng) -> Fault {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
            self.left.shuffle(random);
        }
        self.left.pop().unwrap()
    }
}
