//! Completions, as shells ask for them.

use std::{
    path::Path,
    process::{Command, Output},
};

use gnomon::postgres::test_database::TestDatabase;

use super::{Said, modules::component, run};
use crate::support::{Host, gnomon};

async fn output(mut command: Command) -> Said {
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Said::from(output)
}

/// What a shell gets for the last of these words. bash and zsh say which word it is; fish passes no more than that one.
async fn candidates(shell: &str, url: &str, words: &[&str]) -> Vec<String> {
    let mut command = gnomon();
    command.env("GNOMON_COMPLETE", shell).env("GNOMON_URL", url).env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.arg("--").args(words);
    let said = output(command).await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{shell} {words:?}");
    // The help of a candidate stands behind it: after a tab for fish, and a colon for zsh.
    let name = |line: &str| line.split(['\t', ':']).next().unwrap_or_default().to_owned();
    said.out.lines().map(name).filter(|name| !name.starts_with('-')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_the_host_has_are_completed_in_every_shell() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    run(&host, &["deploy", &component(&folder, "tally")]).await;
    run(&host, &["deploy", &component(&folder, "ledger")]).await;
    let upcaster = folder.path().join("arrivals.wasm");
    std::fs::write(&upcaster, test_support::component("flight-arrivals")).unwrap();
    run(&host, &["deploy", upcaster.to_str().unwrap()]).await;
    let url = host.url();
    for shell in ["bash", "zsh", "fish"] {
        assert_eq!(candidates(shell, url, &["gnomon", "pause", ""]).await, ["ledger", "tally"], "{shell}");
        assert_eq!(candidates(shell, url, &["gnomon", "pause", "ta"]).await, ["tally"], "{shell}");
        assert_eq!(candidates(shell, url, &["gnomon", "query", "tally", ""]).await, ["tallies"], "{shell}");
        assert_eq!(
            candidates(shell, url, &["gnomon", "modules", ""]).await,
            ["arrivals", "ledger", "tally"],
            "{shell}"
        );
        let upcasters = candidates(shell, url, &["gnomon", "upcasters", "activate", ""]).await;
        assert_eq!(upcasters, ["arrivals"], "{shell}");
        let elsewhere = ["gnomon", "pause", "--url", url, "l"];
        assert_eq!(candidates(shell, "http://127.0.0.1:1", &elsewhere).await, ["ledger"], "{shell}");
        // Without a host there are none, and no message.
        let none: [&str; 0] = [];
        assert_eq!(candidates(shell, "http://127.0.0.1:1", &["gnomon", "pause", ""]).await, none, "{shell}");
        assert_eq!(candidates(shell, "http://127.0.0.1:1", &["gnomon", "depl"]).await, ["deploy"], "{shell}");
    }

    // The script in a real shell.
    let program = gnomon();
    let bin = Path::new(program.get_program()).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = "source <(gnomon completions bash); COMP_WORDS=(gnomon query tally t); COMP_CWORD=3; COMP_TYPE=9; \
                  _clap_complete_gnomon gnomon t tally; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script]).env("PATH", path).env("GNOMON_URL", url);
    let said = output(bash).await;
    assert_eq!(said.out, "tallies\n", "{}", said.err);
}

#[test]
fn every_shell_has_a_script() {
    for (shell, registers) in [
        ("bash", "complete -o nospace"),
        ("zsh", "compdef _clap_dynamic_completer_gnomon gnomon"),
        ("fish", "complete --keep-order --exclusive --command gnomon"),
        ("elvish", "edit:completion:arg-completer[gnomon]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let said = Said::from(gnomon().args(["completions", shell]).output().unwrap());
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{shell}");
        assert!(said.out.contains(registers) && said.out.contains("GNOMON_COMPLETE"), "{shell}: {}", said.out);
    }
}
