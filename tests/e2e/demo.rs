//! `gnomon demo`, with no option but a folder.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::gnomon;

/// How long the demo may say nothing: it compiles modules.
const DEADLINE: Duration = Duration::from_secs(600);

fn demo(folder: &Path) -> Command {
    let mut command = gnomon();
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
    command
}

/// Runs the demo to its end, with a private Postgres.
fn run_to_end(folder: &Path) -> Output {
    demo(folder).arg("--exit").output().unwrap()
}

/// Runs the demo until it has nothing more to show, then each line that it says to paste, and ends it as Ctrl-C does. Returns what the
/// demo printed, and what the lines did.
fn run_and_paste(folder: &Path) -> (Output, Vec<Output>) {
    let running = demo(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = EndAtDrop(running);
    let mut stdout = running.0.stdout.take().unwrap();
    let stdout = thread::spawn(move || {
        let mut read = Vec::new();
        stdout.read_to_end(&mut read).map(|_| read).unwrap()
    });
    let (mut stderr, mut pasted) = (String::new(), Vec::new());
    for line in lines_within(running.0.stderr.take().unwrap(), DEADLINE) {
        stderr.push_str(&line);
        stderr.push('\n');
        if line == "The host runs until Ctrl-C." {
            let (_, last_words) = stderr.split_once("\nTry it").unwrap();
            pasted = last_words.lines().filter_map(|line| line.strip_prefix("  ")).map(paste).collect();
        }
        // One of them has made a message.
        if line.starts_with(RECEIVED) {
            kill(Pid::from_raw(running.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        }
    }
    let status = running.0.wait().unwrap();
    (Output { status, stdout: stdout.join().unwrap(), stderr: stderr.into_bytes() }, pasted)
}

/// How the demo says that a message has arrived.
const RECEIVED: &str = "a message for passengers: ";

/// What a shell does with a line.
fn paste(line: &str) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", line]).stdin(Stdio::null());
    for (name, value) in gnomon().get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    bash.output().unwrap()
}

/// The lines of a stream, until its end; a wait for one of them does not take for ever.
fn lines_within(stream: ChildStderr, deadline: Duration) -> impl Iterator<Item = String> {
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if tell.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    std::iter::from_fn(move || match lines.recv_timeout(deadline) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("the demo has said nothing for {deadline:?}"),
    })
}

struct EndAtDrop(Child);

impl Drop for EndAtDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Checks that the demo has shown all, and returns its tables and its messages.
fn tables(output: Output) -> (String, String) {
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    assert!(!messages.contains("error"), "{messages}");
    // The next version was compared, activated and rolled back while clients queried.
    assert!(messages.contains("column very_late is new"), "{messages}");
    assert!(messages.contains("rolled back to version 1 in"), "{messages}");
    assert!(messages.contains(" answers, and 0 failed"), "{messages}");
    // A week of United Air Lines: each day differs, three times.
    assert!(messages.contains("a live query of 7 rows was told of 21 changes"), "{messages}");
    (String::from_utf8(output.stdout).unwrap(), messages)
}

#[test]
fn the_demo_shows_the_carriers_and_shows_them_again_and_each_line_that_it_says_to_paste_works() {
    let folder = tempfile::tempdir().unwrap();
    let (first, messages) = tables(run_to_end(folder.path()));
    // As many flights left more than two hours late.
    assert!(messages.contains("a reactor answered the flights: 85 messages arrived"), "{messages}");
    assert!(messages.contains(" minutes late\n    and 82 more, received at http://127.0.0.1:"), "{messages}");
    let (output, pasted) = run_and_paste(folder.path());
    let (again, messages) = tables(output);
    assert!(messages.contains("a reactor has answered all flights"), "{messages}");
    assert!(messages.contains(&format!("{RECEIVED}20130107-UA2-JFK leaves 180 minutes late")), "{messages}");
    assert_eq!(messages.matches(RECEIVED).count(), 1, "{messages}");
    let lines: Vec<Vec<&str>> = first.lines().map(|line| line.split_whitespace().collect()).collect();
    let header = ["CARRIER", "FLIGHTS", "CANCELLED", "ARRIVED", "ON", "TIME", "AVERAGE", "DELAY"];
    assert!(lines.contains(&header.to_vec()), "{first}");
    for carrier in ["Hawaiian Airlines", "United Air Lines", "Mesa Airlines"] {
        assert!(first.contains(carrier) && again.contains(carrier), "{first}\n{again}");
    }

    let [latest, own, late, past, verified] = &pasted[..] else { panic!("{} lines to paste", pasted.len()) };
    for output in &pasted {
        assert!(output.status.success(), "{output:?}");
    }
    let out = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    insta::assert_snapshot!(out(latest), @r"
    origin  dest  scheduled  arrived  air_time  max_arr_delay
    JFK     BWI          27       27      1051            851
    EWR     MCI          22       20      3603            456
    LGA     FLL          80       80     13075            368
    JFK     SFO         159      159     55045            368
    LGA     DEN          69       69     16061            359
    ");
    insta::assert_snapshot!(out(own), @r"
    flight-20130107-UA1-JFK version 1, position 18,263
    origin  dest  scheduled  arrived  air_time  max_arr_delay
    JFK     OSL           0        1       420            -20
    ");
    let late = out(late);
    assert!(late.starts_with("flight-20130107-UA2-JFK version 1, position 18,264\n"), "{late}");
    for part in ["REACTOR", "delays", "running", "passengers", "flight.late", "delivered"] {
        assert!(late.contains(part), "{part}: {late}");
    }
    let messages = String::from_utf8_lossy(&past.stderr);
    assert!(messages.contains("5 rows at position 9,000, as version "), "{past:?}");
    assert!(out(past) != out(latest) && out(past).contains("max_arr_delay"), "{past:?}");
    assert!(out(verified).contains("identical"), "{verified:?}");
}
