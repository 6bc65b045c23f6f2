//! Runs a program of Postgres so that it cannot outlive the host. See `leash.sh` for how.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use super::end::End;
use super::user::ServerUser;

const LEASH: &str = include_str!("leash.sh");

/// How long dropping a program blocks until the program has ended. After that the watcher ends it.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait after `SIGQUIT` before `SIGKILL`. Postgres itself kills its backends after 5 s.
const QUIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A program to run.
pub(super) struct Program<'a> {
    pub(super) user: &'a ServerUser,
    pub(super) path: PathBuf,
    pub(super) args: Vec<&'a OsStr>,
    /// Receives its stdout and stderr.
    pub(super) output: File,
    /// How long it may take to end in an orderly way; `None` ends it at once.
    pub(super) stop_timeout: Option<Duration>,
    /// A folder that is removed when it has ended.
    pub(super) remove: Option<PathBuf>,
}

/// A running program, which ends when this is dropped, or with the host.
#[derive(Debug)]
pub(super) struct Supervised {
    pid: Pid,
    /// Held open for as long as the host lives.
    leash: Option<ChildStdin>,
    end: watch::Receiver<Option<End>>,
    stop_timeout: Option<Duration>,
    remove: Option<PathBuf>,
}

impl Supervised {
    pub(super) fn start(program: Program<'_>) -> io::Result<Self> {
        let tenths = program.stop_timeout.map_or(0, |timeout| timeout.as_millis() / 100).to_string();
        // Without comments, since a list of processes shows the script.
        let script: Vec<&str> = LEASH.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let mut command = program.user.command("/bin/sh");
        command.args(["-c", &script.join("\n"), "leash", &tenths]);
        command.arg(program.remove.as_deref().map_or(OsStr::new(""), |folder| folder.as_os_str()));
        command.arg(&program.path).args(&program.args);
        command.stdin(Stdio::piped()).stdout(program.output.try_clone()?).stderr(program.output);
        // Ctrl-C in a terminal signals the group in the foreground. In a group of its own, Postgres runs on until the host stops
        // it.
        command.process_group(0);

        let mut child = command.spawn()?;
        let leash = child.stdin.take();
        let pid = Pid::from_raw(child.id().cast_signed());
        let (send, end) = watch::channel(None);
        // A thread, not a task: dropping waits for it, and the thread that drops may be the only one of the runtime.
        std::thread::Builder::new().name(format!("wait-{pid}")).spawn(move || {
            let _ = send.send(Some(End(child.wait().ok())));
        })?;
        Ok(Self { pid, leash, end, stop_timeout: program.stop_timeout, remove: program.remove })
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    pub(super) fn has_ended(&self) -> Option<End> {
        *self.end.borrow()
    }

    /// Resolves when the program has ended.
    pub(super) fn ended(&self) -> impl Future<Output = End> + Send + use<> {
        let mut end = self.end.clone();
        async move {
            // The sender is dropped without a value only if its thread could not be started.
            end.wait_for(Option::is_some).await.ok().and_then(|end| *end).unwrap_or(End(None))
        }
    }

    /// Ends the program and waits for it.
    pub(super) async fn stop(&self) -> End {
        let steps = [
            (Signal::SIGINT, self.stop_timeout.unwrap_or_default()),
            (Signal::SIGQUIT, QUIT_TIMEOUT),
            (Signal::SIGKILL, Duration::MAX),
        ];
        for (signal, timeout) in steps.into_iter().filter(|(_, timeout)| !timeout.is_zero()) {
            self.signal(signal);
            if let Ok(end) = tokio::time::timeout(timeout, self.ended()).await {
                return end;
            }
            tracing::warn!(pid = self.pid(), "{signal} has not ended the program within {timeout:?}");
        }
        self.ended().await
    }

    /// Whether it is ended at once, so that its exit status means nothing.
    pub(super) fn is_ended_at_once(&self) -> bool {
        self.stop_timeout.is_none()
    }

    /// Keeps the folder that would be removed with the program.
    pub(super) fn keep_folder(&mut self) {
        self.remove = None;
    }

    fn signal(&self, signal: Signal) {
        // After its end, its number may be that of another process. Between the check and the signal that cannot happen: the
        // kernel uses a number again only after all others.
        if self.has_ended().is_none() {
            let _ = kill(self.pid, signal);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.signal(if self.stop_timeout.is_some() { Signal::SIGINT } else { Signal::SIGQUIT });
        let deadline = Instant::now() + DROP_TIMEOUT;
        while self.has_ended().is_none() {
            if Instant::now() > deadline {
                // The pipe is closed with this value, and then the watcher ends the program.
                tracing::warn!(pid = self.pid(), "not ended after {DROP_TIMEOUT:?}; it is left to its watcher");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // The folder before the farewell: if the host dies in between, the watcher removes it.
        if let Some(folder) = &self.remove
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "cannot remove the folder");
        }
        if let Some(leash) = &mut self.leash {
            // Fails if the watcher was killed, which needs no farewell then.
            let _ = leash.write_all(b"farewell\n");
        }
    }
}
