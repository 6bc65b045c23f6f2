//! Components that are compiled by a process of the program, and what that process may take.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use gnomon::{
    read_model::Identifier,
    runtime::{CannotLoad, Digest, Loaded, Module, ModuleLabel, Runtime, RuntimeLimits, RuntimeSettings},
};
use test_support::{guest, until};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{hand_made::projection, run::LIMITS};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gnomon");

async fn load_with(
    compiler: &str,
    limits: RuntimeLimits,
    bytes: Vec<u8>,
    given_up: CancellationToken,
) -> Result<Loaded<Module>, CannotLoad> {
    let runtime =
        Runtime::start(RuntimeSettings { limits, cache: None, compiler: Some(PathBuf::from(compiler)) }).unwrap();
    let label = ModuleLabel { name: Identifier::new("test").unwrap(), version: None };
    let digest = Digest::of(&bytes);
    runtime.load_apart(label, digest, Arc::new(bytes), &Semaphore::new(1), &given_up).await
}

async fn refused(limits: RuntimeLimits, bytes: Vec<u8>) -> String {
    match load_with(PROGRAM, limits, bytes, CancellationToken::new()).await {
        Err(CannotLoad::Invalid(error)) => error.reasons.join("; "),
        other => panic!("{other:?}"),
    }
}

/// Within the compile budget, and half a minute of work on one processor.
fn dear(branches: usize) -> Vec<u8> {
    let branches = "(if (local.get 0) (then (local.set 1 (i64.const 1))))".repeat(branches);
    projection(&format!("(func (param i32) (local i64) {branches})"))
}

#[tokio::test]
async fn a_module_is_compiled_by_a_process_of_the_program() {
    let loaded = load_with(PROGRAM, LIMITS, guest("tally"), CancellationToken::new()).await.unwrap();
    let Module::Projection(tally) = loaded.module else { panic!("{loaded:?}") };
    assert_eq!(tally.descriptor().categories, ["count"]);
    // What the compiler says of a component arrives as when it runs in the host's own process.
    let invalid = wat::parse_str("(component (core module (func (result i32))))").unwrap();
    let reason = refused(LIMITS, invalid).await;
    assert!(reason.starts_with("it is not a valid component: ") && reason.contains("type mismatch"), "{reason}");
}

#[tokio::test]
async fn what_needs_too_much_memory_to_compile_is_refused_by_name() {
    let wide = format!("(result {})", "i64 ".repeat(1000));
    let blocks = 170;
    let component = projection(&format!(
        "(type $wide (func {wide})) (func $made (type $wide) unreachable)
         (func (type $wide) (local i32) {} call $made local.get 0 br_table {} {})",
        "block (type $wide) ".repeat(blocks),
        (0..=blocks).map(|depth| format!("{depth} ")).collect::<String>(),
        "end ".repeat(blocks),
    ));
    let limits = RuntimeLimits { max_compile_memory_bytes: 64 << 20, ..LIMITS };
    assert_eq!(
        refused(limits, component).await,
        "it is too dear to compile: that takes more than 67108864 bytes of memory; the limit is max_compile_memory_bytes; split \
         it into smaller functions, or into several modules"
    );
}

#[tokio::test]
async fn what_takes_too_long_to_compile_is_refused_by_name() {
    let limits = RuntimeLimits { max_compile_time: Duration::from_secs(1), ..LIMITS };
    assert_eq!(
        refused(limits, dear(40_000)).await,
        "it is too dear to compile: that takes more than 1 s of a processor's time; the limit is max_compile_time; split it into \
         smaller functions, or into several modules"
    );
}

#[tokio::test]
async fn a_program_that_does_not_compile_is_the_host_s_trouble() {
    for (program, words) in
        [("/no/such/program", "cannot be run: No such file"), ("/bin/false", "ended (exit status: 1)")]
    {
        match load_with(program, LIMITS, guest("tally"), CancellationToken::new()).await {
            Err(CannotLoad::Host(message)) => assert!(message.contains(words), "{message}"),
            other => panic!("{program}: {other:?}"),
        }
    }
}

/// The processes that compile a component of so many bytes.
#[cfg(target_os = "linux")]
fn compiling(bytes: usize) -> usize {
    let is_one = |process: &Path| {
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        // A process that has ended and is not reaped yet has no command line.
        words.split(|byte| *byte == 0).skip(1).take(2).eq([b"compile-module".as_slice(), bytes.to_string().as_bytes()])
    };
    fs::read_dir("/proc").unwrap().filter(|entry| is_one(&entry.as_ref().unwrap().path())).count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn when_nobody_waits_any_more_the_process_is_killed() {
    let component = dear(50_011);
    let bytes = component.len();
    let given_up = CancellationToken::new();
    let loading = tokio::spawn(load_with(PROGRAM, LIMITS, component, given_up.clone()));
    until("it is being compiled", async || compiling(bytes) == 1).await;
    given_up.cancel();
    assert!(matches!(loading.await.unwrap(), Err(CannotLoad::Host(_))));
    until("the process has ended", async || compiling(bytes) == 0).await;
}

#[test]
fn the_process_ends_with_its_host() {
    let component = dear(50_000);
    let mut process = Command::new(PROGRAM)
        .args(["compile-module", &component.len().to_string(), "2000000000", "600"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(&component).unwrap();
    // As if the host had ended.
    drop(stdin);
    assert_eq!(process.wait().unwrap().code(), Some(1));
}
