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

/// How long dropping a program blocks until the program has ended. After that the leash sees to it.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// What `SIGQUIT` gets before `SIGKILL`. Postgres itself kills its backends after 5 s then.
const QUIT_PATIENCE: Duration = Duration::from_secs(10);

/// A program to run.
pub(super) struct Errand<'a> {
    pub(super) user: &'a ServerUser,
    pub(super) program: PathBuf,
    pub(super) args: Vec<&'a OsStr>,
    /// Takes what it prints.
    pub(super) output: File,
    /// How long it may take to end in an orderly way, if at all: `None` ends it at once.
    pub(super) patience: Option<Duration>,
    /// A folder that goes away with it.
    pub(super) remove: Option<PathBuf>,
}

/// A running program, which ends when this is dropped, or with the host.
#[derive(Debug)]
pub(super) struct Supervised {
    pid: Pid,
    /// Held open for as long as the host lives.
    leash: Option<ChildStdin>,
    end: watch::Receiver<Option<End>>,
    patience: Option<Duration>,
    remove: Option<PathBuf>,
}

impl Supervised {
    pub(super) fn start(errand: Errand<'_>) -> io::Result<Self> {
        let tenths = errand.patience.map_or(0, |patience| patience.as_millis() / 100).to_string();
        // Whoever lists processes sees the script, and need not see its comments.
        let script: Vec<&str> = LEASH.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let mut command = errand.user.command("/bin/sh");
        command.args(["-c", &script.join("\n"), "leash", &tenths]);
        command.arg(errand.remove.as_deref().map_or(OsStr::new(""), |folder| folder.as_os_str()));
        command.arg(&errand.program).args(&errand.args);
        command.stdin(Stdio::piped()).stdout(errand.output.try_clone()?).stderr(errand.output);
        // Ctrl-C in a terminal goes to the group in the foreground: the host hears it and stops Postgres when it is done
        // with it itself.
        command.process_group(0);

        let mut child = command.spawn()?;
        let leash = child.stdin.take();
        let pid = Pid::from_raw(child.id().cast_signed());
        let (send, end) = watch::channel(None);
        // A thread, not a task: dropping waits for it, and the thread that drops may be the only one of the runtime.
        std::thread::Builder::new().name(format!("wait-{pid}")).spawn(move || {
            let _ = send.send(Some(End(child.wait().ok())));
        })?;
        Ok(Self { pid, leash, end, patience: errand.patience, remove: errand.remove })
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
            // The sender goes away without a word only if its thread could not be started.
            end.wait_for(Option::is_some).await.ok().and_then(|end| *end).unwrap_or(End(None))
        }
    }

    /// Ends the program and waits for it.
    pub(super) async fn stop(&self) -> End {
        let steps = [
            (Signal::SIGINT, self.patience.unwrap_or_default()),
            (Signal::SIGQUIT, QUIT_PATIENCE),
            (Signal::SIGKILL, Duration::MAX),
        ];
        for (signal, patience) in steps.into_iter().filter(|(_, patience)| !patience.is_zero()) {
            self.signal(signal);
            if let Ok(end) = tokio::time::timeout(patience, self.ended()).await {
                return end;
            }
            tracing::warn!(pid = self.pid(), "{signal} has not ended the program within {patience:?}");
        }
        self.ended().await
    }

    /// Whether it is ended without a chance to tidy up, so that how it ends says nothing.
    pub(super) fn is_ended_at_once(&self) -> bool {
        self.patience.is_none()
    }

    /// The folder that was to go away with the program stays.
    pub(super) fn keep_folder(&mut self) {
        self.remove = None;
    }

    fn signal(&self, signal: Signal) {
        // Once it has ended its number may be another's. That it ends between these two lines and the number is given
        // away at once would take the kernel a full round through all numbers.
        if self.has_ended().is_none() {
            let _ = kill(self.pid, signal);
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.signal(if self.patience.is_some() { Signal::SIGINT } else { Signal::SIGQUIT });
        let deadline = Instant::now() + DROP_PATIENCE;
        while self.has_ended().is_none() {
            if Instant::now() > deadline {
                // The leash falls to the ground below, and the watcher goes on where we stop.
                tracing::warn!(pid = self.pid(), "not ended after {DROP_PATIENCE:?}; it is left to its watcher");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // First the folder, then the farewell: if the host dies in between, the watcher does it over.
        if let Some(folder) = &self.remove
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "cannot remove the folder");
        }
        if let Some(leash) = &mut self.leash {
            // Fails if someone has killed the watcher, and then it needs no farewell.
            let _ = leash.write_all(b"farewell\n");
        }
    }
}
