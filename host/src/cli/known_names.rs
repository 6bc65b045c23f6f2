//! Names that a host knows, as candidates for what is typed at a shell.

use std::{env, path::PathBuf, time::Duration};

use clap_complete::{ArgValueCandidates, CompletionCandidate};
use serde::de::DeserializeOwned;

use super::client::Client;
use crate::{
    api::{ModuleKind, Modules, Projections, Reactors},
    config::{ClientOptions, TenantOption, TrustOptions},
};

/// How long a host may take. Somebody waits for it with a finger on the key.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The names of projections.
pub(super) fn projections() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found: Option<Projections> = ask(&["v1", "projections"]);
        candidates(found.into_iter().flat_map(|found| found.projections).map(|projection| projection.name))
    })
}

/// The names of the tables of the projection that was typed before.
pub(super) fn tables() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found: Option<Projections> = ask(&["v1", "projections"]);
        let typed = words();
        let of_typed =
            found.into_iter().flat_map(|found| found.projections).filter(|found| typed.contains(&found.name));
        candidates(of_typed.flat_map(|projection| projection.tables))
    })
}

/// The names of modules.
pub(super) fn modules() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_modules(|_| true))
}

/// The names of upcasters, active or not.
pub(super) fn upcasters() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_modules(|kind| *kind == ModuleKind::Upcaster))
}

/// The names of reactors.
pub(super) fn reactors() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let found: Option<Reactors> = ask(&["v1", "reactors"]);
        candidates(found.into_iter().flat_map(|found| found.reactors).map(|reactor| reactor.name))
    })
}

fn of_modules(wanted: impl Fn(&ModuleKind) -> bool) -> Vec<CompletionCandidate> {
    let found: Option<Modules> = ask(&["v1", "modules"]);
    let modules = found.into_iter().flat_map(|found| found.modules);
    candidates(modules.filter(|module| wanted(&module.kind)).map(|module| module.name))
}

fn candidates(names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    names.map(CompletionCandidate::new).collect()
}

/// What the host answers, or nothing: a message in the middle of a command line that somebody types helps nobody.
fn ask<T: DeserializeOwned>(path: &[&str]) -> Option<T> {
    // As the program does when it starts; only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let typed = words();
    let client = Client::new(&ClientOptions {
        url: url(&typed)?,
        tenant: tenant(&typed),
        token_file: env::var_os("GNOMON_TOKEN_FILE").map(PathBuf::from),
        trust: trust(&typed),
    })
    .ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(async { tokio::time::timeout(TIMEOUT, client.json(client.get(path))).await });
    // A look-up of the host's name may still wait on a thread of its own.
    runtime.shutdown_background();
    answer.ok()?.ok()
}

/// The words that are typed so far. Shells pass them after `--`.
fn words() -> Vec<String> {
    env::args_os().skip_while(|word| word != "--").skip(1).filter_map(|word| word.into_string().ok()).collect()
}

/// The options of a host that has no other ones.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    client: ClientOptions,
}

impl Options {
    /// Those of the variables, and the defaults.
    fn untyped() -> Option<ClientOptions> {
        <Self as clap::Parser>::try_parse_from(["gnomon"]).ok().map(|options| options.client)
    }
}

/// The host that the command is for: `--url` if it is typed, or that of the variable, or the default.
fn url(words: &[String]) -> Option<String> {
    typed(words, "--url").map(str::to_owned).or_else(|| Some(Options::untyped()?.url))
}

/// The tenant of the host: of `--tenant` if it is typed, or of the variable.
fn tenant(words: &[String]) -> TenantOption {
    match typed(words, "--tenant") {
        Some(name) => TenantOption { tenant: Some(name.to_owned()) },
        None => Options::untyped().map(|options| options.tenant).unwrap_or_default(),
    }
}

/// The authorities that are trusted: of `--ca-file` if it is typed, or of the variable.
fn trust(words: &[String]) -> TrustOptions {
    match typed(words, "--ca-file") {
        Some(file) => TrustOptions { ca_file: Some(file.into()) },
        None => Options::untyped().map(|options| options.trust).unwrap_or_default(),
    }
}

/// The value of an option that is typed.
fn typed<'w>(words: &'w [String], option: &str) -> Option<&'w str> {
    let after = |number| words.iter().skip_while(|word| *word != option).nth(number);
    // bash takes `=` for a word of its own.
    let after = after(1).filter(|word| *word != "=").or_else(|| after(2));
    let with_value = || words.iter().find_map(|word| word.strip_prefix(option)?.strip_prefix('='));
    after.map(String::as_str).or_else(with_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_one_that_is_typed() {
        let typed = |line: &str| url(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap();
        assert_eq!(typed("gnomon pause --url http://h:1 ta"), "http://h:1");
        assert_eq!(typed("gnomon pause --url=http://h:1 ta"), "http://h:1");
        assert_eq!(typed("gnomon pause --url = http://h:1 ta"), "http://h:1");
        assert!(typed("gnomon pause ta").starts_with("http://"));
        let typed = ["gnomon", "--ca-file=/ca.pem", "pause"].map(str::to_owned);
        assert_eq!(trust(&typed).ca_file, Some("/ca.pem".into()));
        let typed = ["gnomon", "--tenant", "acme", "pause"].map(str::to_owned);
        assert_eq!(tenant(&typed).tenant.as_deref(), Some("acme"));
    }
}
