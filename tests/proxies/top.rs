//! `gnomon top` at a terminal, read as a person reads it: from the screen.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use gnomon::postgres::test_database::TestDatabase;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tempfile::TempDir;
use test_support::{HostClient, HostLog, until};

use crate::program::gnomon;

/// A size of a terminal.
fn of(size: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(size).unwrap()
}

/// A terminal, which `script` makes, with `gnomon top` on it.
struct Terminal {
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
    folder: TempDir,
}

impl Terminal {
    async fn start(url: &str) -> Self {
        Self::start_with(url, &[]).await
    }

    /// With variables for the program.
    async fn start_with(url: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = gnomon().get_program().to_str().unwrap().to_owned();
        let file = |name: &str| folder.path().join(name).display().to_string();
        // What the terminal is like is written down before and after, since the program changes it meanwhile.
        let commands = format!(
            "tty > {tty}; stty rows 24 cols 110; stty -g > {before}; sh -c 'echo $$ > {pid}; exec {program} top --url {url}' 2> {said}; echo $? > {code}; stty -g > {after}",
            tty = file("tty"),
            before = file("before"),
            pid = file("pid"),
            said = file("said"),
            code = file("code"),
            after = file("after"),
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--flush", "--command", &commands, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(of(24), of(110), 0)));
        let (mut output, read) = (child.stdout.take().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                read.lock().unwrap().process(&buffer[..length]);
            }
        });
        Self { child, screen, folder }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen has all of these.
    async fn shows(&self, texts: &[&str]) {
        let what = format!("the screen shows {texts:?}");
        until(&what, async || {
            let text = self.text();
            texts.iter().all(|wanted| text.contains(wanted))
        })
        .await;
    }

    /// The process of the program.
    fn process(&self) -> Pid {
        Pid::from_raw(self.read("pid").trim().parse().unwrap())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the window smaller or larger, as a user does.
    fn resize(&self, rows: u16, columns: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(of(rows), of(columns));
        let tty = std::fs::read_to_string(self.file("tty")).unwrap();
        let size = ["rows", &rows.to_string(), "cols", &columns.to_string()].map(str::to_owned);
        assert!(Command::new("stty").args(["-F", tty.trim()]).args(size).status().unwrap().success());
    }

    fn press(&mut self, key: &str) {
        self.child.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
    }

    /// Waits until the program has ended; returns its exit code.
    async fn ended(&mut self) -> String {
        until("top has ended", async || self.file("after").exists() && self.child.try_wait().unwrap().is_some()).await;
        assert_eq!(self.read("before"), self.read("after"), "the terminal is as it was");
        let screen = self.screen.lock().unwrap();
        assert!(!screen.screen().alternate_screen() && !screen.screen().hide_cursor(), "the screen is as it was");
        self.read("code").trim().to_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host at an address that others can have after it.
struct Host {
    child: Child,
    client: HostClient,
}

impl Host {
    async fn start(database: &TestDatabase, folder: &Path, address: &str) -> Self {
        let mut command = gnomon();
        command.args(["serve", "--listen", address, "--data-dir"]).arg(folder).env("DATABASE_URL", database.url());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let client = HostClient::new(format!("http://{address}"), HostLog::default());
        let ready = format!("http://{address}/health/ready");
        let http = test_support::client();
        until("the host is ready", async || {
            http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Self { child, client }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_what_happens_and_what_is_wrong() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    // An address that was just free.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let host = Host::start(&database, folder.path(), &address).await;
    let build = host.client.deploy("tally", test_support::guest("tally"), "").await;
    host.client.until_state("tally", build, "active").await;
    let mut terminal = Terminal::start(&format!("http://{address}")).await;
    terminal
        .shows(&["gnomon top", "ready", "head 0", "NEEDS ATTENTION", "nothing", "PROJECTION", "tally", "active"])
        .await;

    for n in 1..=3 {
        host.client.append_one("count-1", "Counted", json!({ "n": n })).await;
    }
    terminal.shows(&["head 3", "appends", "newest event"]).await;
    host.client.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    terminal.shows(&["tally build 1 has halted behind position 3", "gnomon explain 4", "halted"]).await;

    // All of it is drawn again, in the size that the window has.
    terminal.resize(16, 80);
    terminal.shows(&["head 4", "tally build 1 has halted", "PROJECTION", "q quit"]).await;
    assert!(terminal.text().lines().all(|line| line.chars().count() <= 80), "{}", terminal.text());

    drop(host);
    terminal.shows(&["no answer", "no host answers at", "what is below is old", "head 4"]).await;
    let host = Host::start(&database, folder.path(), &address).await;
    until("top has found the host again", async || !terminal.text().contains("what is below is old")).await;
    terminal.shows(&["ready", "tally build 1 has halted"]).await;
    drop(host);

    terminal.press("q");
    assert_eq!(terminal.ended().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_reactors_and_the_messages_that_wait() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let host = Host::start(&database, folder.path(), &address).await;
    assert!(host.client.upload("obeys", test_support::guest("obeys"), "").await.status.is_success());
    let mut terminal = Terminal::start(&format!("http://{address}")).await;
    terminal.shows(&["gnomon top", "REACTOR", "obeys", "running", "nothing"]).await;

    // Nobody has made the sink `mail`.
    host.client.append_one("told-1", "Told", json!([{"publish": "told"}])).await;
    terminal.shows(&["SINK", "PENDING", "mail"]).await;
    host.client.append_one("told-1", "Told", json!([{"fail_up_to": 9}])).await;
    terminal.shows(&["reactor obeys has halted behind position 1: gnomon reactors", "halted"]).await;

    // There is room for one table only, and keys lead to the next.
    terminal.resize(10, 80);
    until("only the first table is shown", async || {
        let text = terminal.text();
        text.contains("REACTOR") && !text.contains("SINK")
    })
    .await;
    terminal.press("\u{1b}[6~");
    terminal.shows(&["SINK", "mail"]).await;
    terminal.press("q");
    assert_eq!(terminal.ended().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn top_waits_for_a_host_and_ends_at_control_c() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut terminal = Terminal::start(&format!("http://{address}")).await;
    terminal.shows(&["no answer yet", "no host answers at"]).await;
    terminal.press("\u{3}");
    assert_eq!(terminal.ended().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_end_top_restore_the_terminal() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
        let mut terminal = Terminal::start(&format!("http://{address}")).await;
        terminal.shows(&["no answer yet", "no host answers at"]).await;
        assert!(terminal.screen.lock().unwrap().screen().alternate_screen());
        kill(terminal.process(), signal).unwrap();
        assert_eq!(terminal.ended().await, "0", "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn top_ends_with_its_terminal() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut terminal = Terminal::start(&format!("http://{address}")).await;
    terminal.shows(&["no answer yet", "no host answers at"]).await;
    let process = terminal.process();
    assert_eq!(kill(process, None), Ok(()));
    // As a window that is closed: nobody reads the terminal any more, and nobody waits for the program.
    terminal.child.kill().unwrap();
    terminal.child.wait().unwrap();
    until("top has ended", async || kill(process, None) == Err(Errno::ESRCH)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_restores_the_terminal_and_is_told() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (place, code) in [("Screen", "101"), ("Poll", "1")] {
        let variables = [("GNOMON_TEST_TOP_PANICS", place)];
        let mut terminal = Terminal::start_with(&format!("http://{address}"), &variables).await;
        assert_eq!(terminal.ended().await, code, "{place}: {}", terminal.read("said"));
        let said = terminal.read("said");
        assert!(said.contains(&format!("the test asks for a panic at {place}")), "{said}");
    }
}

#[test]
fn without_a_terminal_top_says_what_else_there_is() {
    let output = gnomon().arg("top").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.starts_with("error: `gnomon top` draws on a terminal, and there is none"), "{said}");
    assert!(said.contains("gnomon projections --watch"), "{said}");
}
