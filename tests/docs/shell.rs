//! The shell of a page's reader.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::program::gnomon;

/// The first build of a module compiles for minutes.
const LONGEST: Duration = Duration::from_secs(1_800);

/// One bash. A command that fails ends it.
pub(crate) struct Shell {
    child: Child,
    commands: Option<ChildStdin>,
    codes: Receiver<i32>,
    /// Home, programs, and the scripts with their output.
    folder: TempDir,
    steps: usize,
}

/// Where a block's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Apart,
    /// To one file, as at a terminal.
    Together,
}

/// What a block did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code of its last command, or of the first one that failed.
    pub(crate) code: i32,
    /// The command that failed, if it is known.
    pub(crate) failed: Option<String>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The files of a block.
struct Step {
    script: PathBuf,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Shell {
    /// Starts it in a folder. Its commands speak to the host at an address, and a host that they start listens there.
    pub(crate) fn start(working: Option<&Path>, address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A private Postgres runs as another user, who cannot enter a temporary folder of root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let [home, programs, steps, empty] = ["home", "programs", "steps", "work"].map(|name| folder.path().join(name));
        for made in [&home, &programs, &steps, &empty] {
            fs::create_dir(made).unwrap();
        }
        // A problem of the host is a failure, and its body is shown.
        fs::write(home.join(".curlrc"), "silent\nshow-error\nfail-with-body\n").unwrap();
        std::os::unix::fs::symlink(gnomon().get_program(), programs.join("gnomon")).unwrap();

        let mut bash = Command::new("bash");
        for (name, _) in std::env::vars() {
            if name.starts_with("GNOMON_") || name.starts_with("XDG_") || name == "DATABASE_URL" || name == "CARGO" {
                bash.env_remove(name);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let at_home = |folder: &str| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(folder);
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            bash.env(name, std::env::var_os(name).map_or_else(|| at_home(folder), PathBuf::from));
        }
        // Crates are built with what is on this machine, and into the target folder that has some of it. That a new crate builds with the
        // SDK that it brings along is a test of its own, tests/e2e/cli/crates.rs.
        let sdk = crate::repository().join("guest-sdk");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut child = bash
            .args(["--noprofile", "--norc"])
            .current_dir(working.unwrap_or(&empty))
            .env("HOME", &home)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("GNOMON_SDK", sdk)
            .env("GNOMON_URL", format!("http://{address}"))
            .env("GNOMON_LISTEN", address.to_string())
            .env("GNOMON_DATA_DIR", folder.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .unwrap();
        let (tell, codes) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for code in lines.map_while(Result::ok).filter_map(|line| line.parse().ok()) {
                let _ = tell.send(code);
            }
        });
        let commands = child.stdin.take();
        let mut shell = Self { child, commands, codes, folder, steps: 0 };
        let failed = shell.failed();
        // What runs in the background ends with the shell.
        shell.tell(&format!(
            "set -eE -o pipefail\ntrap 'printf %s \"$BASH_COMMAND\" >{}' ERR\n\
             trap 'code=$?; trap - ERR; set +e; kill $(jobs -p) 2>/dev/null; wait; exit $code' EXIT",
            failed.display()
        ));
        shell
    }

    /// Runs the commands of a block, one after the other.
    pub(crate) fn run(&mut self, block: &str, output: Output) -> Ran {
        let step = self.step(block);
        let command = format!(". {} </dev/null {}", step.script.display(), step.redirect(output));
        self.tell(&format!("{command}\necho 0"));
        self.finish(&step)
    }

    /// Runs a block of which the last command fails.
    pub(crate) fn run_to_failure(&mut self, block: &str, output: Output) -> Ran {
        let step = self.step(block);
        let command = format!(". {} </dev/null {}", step.script.display(), step.redirect(output));
        self.tell(&format!("set +e\n{command}\necho $?\nset -e"));
        self.finish(&step)
    }

    /// Runs a block at a terminal, where a text is typed.
    pub(crate) fn run_at_terminal(&mut self, block: &str, typed: &str) -> Ran {
        let step = self.step(block);
        let script = format!("bash -eo pipefail {}", step.script.display());
        let command = format!("printf '%s\\n' '{typed}' | script --quiet --return --command '{script}' /dev/null");
        self.tell(&format!("{command} {}\necho 0", step.redirect(Output::Together)));
        self.finish(&step)
    }

    /// Runs a block that does not end by itself, until `enough` of its output is there or time is over.
    pub(crate) fn run_until(&mut self, block: &str, output: Output, enough: impl Fn(&Ran) -> bool) -> Ran {
        let step = self.step(block);
        // In a process group of its own, so that all of it can be ended.
        let command = format!("setsid bash -eo pipefail {} </dev/null", step.script.display());
        self.tell(&format!("{command} {} &\necho $!", step.redirect(output)));
        let group = Pid::from_raw(self.codes.recv_timeout(LONGEST).unwrap());
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while !enough(&step.ran(0, None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // A shell that is nobody's child any more is gone at once: what has ended is no group.
        let still_runs = killpg(group, None).is_ok();
        let _ = killpg(group, Signal::SIGTERM);
        if still_runs {
            step.ran(0, None)
        } else {
            step.ran(1, Some("it ended, and the page says that it goes on".to_owned()))
        }
    }

    fn step(&mut self, block: &str) -> Step {
        self.steps += 1;
        let file = |kind: &str| self.folder.path().join(format!("steps/{}.{kind}", self.steps));
        let _ = fs::remove_file(self.failed());
        let step = Step { script: file("sh"), stdout: file("out"), stderr: file("err") };
        fs::write(&step.script, block).unwrap();
        step
    }

    fn tell(&mut self, command: &str) {
        // If it has ended, its exit code says more than this error.
        let _ = writeln!(self.commands.as_mut().unwrap(), "{command}");
    }

    fn finish(&mut self, step: &Step) -> Ran {
        let code = match self.codes.recv_timeout(LONGEST) {
            Ok(code) => code,
            Err(mpsc::RecvTimeoutError::Disconnected) => self.child.wait().unwrap().code().unwrap_or(-1),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("timeout: {:#?}", step.ran(-1, None)),
        };
        step.ran(code, fs::read_to_string(self.failed()).ok())
    }

    /// The file that has the command that failed.
    fn failed(&self) -> PathBuf {
        self.folder.path().join("steps/failed")
    }

    /// Writes a file into the folder that the shell is in, or adds to its end.
    pub(crate) fn write(&mut self, path: &str, text: &str, append: bool) -> Ran {
        let step = self.step(text);
        let arrow = if append { ">>" } else { ">" };
        let gap = if append { "echo; " } else { "" };
        self.tell(&format!("{{ {gap}cat {}; }} {arrow}'{path}'\necho 0", step.script.display()));
        self.finish(&step)
    }
}

impl Step {
    fn redirect(&self, output: Output) -> String {
        match output {
            Output::Apart => format!(">{} 2>{}", self.stdout.display(), self.stderr.display()),
            Output::Together => format!(">{} 2>&1", self.stdout.display()),
        }
    }

    fn ran(&self, code: i32, failed: Option<String>) -> Ran {
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Ran { code, failed, stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // At the end of its input it ends what it has started, a host with its Postgres among them.
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use nix::{errno::Errno, sys::signal::kill};

    use super::*;

    fn shell() -> Shell {
        Shell::start(None, ([127, 0, 0, 1], 7070).into())
    }

    #[test]
    fn folders_and_variables_stay() {
        let mut shell = shell();
        assert_eq!(shell.run("cd / && name=ada\n", Output::Apart).code, 0);
        let ran = shell.run("pwd\necho $name >&2\n", Output::Apart);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("/\n", "ada\n"));
        assert_eq!(shell.run("echo a\necho b >&2\n", Output::Together).stdout, "a\nb\n");
    }

    #[test]
    fn the_command_that_fails_is_named() {
        let ran = shell().run("echo a\nls /none\necho b\n", Output::Apart);
        assert_eq!((ran.code, ran.failed.as_deref(), ran.stdout.as_str()), (2, Some("ls /none"), "a\n"));
        assert!(ran.stderr.contains("No such file"), "{ran:?}");
        assert_eq!(shell().run("true\nfalse && true\n", Output::Apart).code, 1);
        assert_eq!(shell().run("false | true\necho b\n", Output::Apart).code, 1);
        let mut shell = shell();
        assert_eq!(shell.run_to_failure("false\n", Output::Apart).code, 1);
        assert_eq!(shell.run("true\n", Output::Apart).code, 0);
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let mut shell = shell();
        let ran = shell.run_until("echo a\nsleep 1000\n", Output::Together, |ran| ran.stdout == "a\n");
        assert_eq!(ran.stdout, "a\n");
        let pid = shell.run("sleep 1000 &\necho $!\n", Output::Apart).stdout;
        drop(shell);
        assert_eq!(kill(Pid::from_raw(pid.trim().parse().unwrap()), None), Err(Errno::ESRCH));
    }

    #[test]
    fn a_terminal_takes_what_is_typed() {
        let ran = shell().run_at_terminal("test -t 0\nread -r answer\necho \"it is $answer\"\n", "y");
        assert!(ran.code == 0 && ran.stdout.contains("it is y"), "{ran:?}");
        assert_eq!(shell().run_at_terminal("exit 3\n", "y").code, 3);
    }

    #[test]
    fn files_are_written_where_the_reader_is() {
        let mut shell = shell();
        shell.run("mkdir a\ncd a\n", Output::Apart);
        shell.write("b", "one\n", false);
        shell.write("b", "two\n", true);
        assert_eq!(shell.run("cat ../a/b\n", Output::Apart).stdout, "one\n\ntwo\n");
    }
}
