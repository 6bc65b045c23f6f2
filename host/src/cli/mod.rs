//! The command line.

mod activate;
mod append;
mod ask;
mod bench;
mod build;
mod causes;
mod client;
mod compare;
mod compile_module;
mod completions;
mod dead_letters;
mod delete;
mod demo;
mod deploy;
mod doctor;
mod end;
mod event_query;
mod events;
mod explain;
mod export;
mod figures;
mod follow;
mod forget;
mod guest_crate;
mod history;
mod host;
mod import;
mod known_names;
mod last_appends;
#[cfg(test)]
mod limits_page;
mod line_numbers;
mod login;
mod measures;
mod migrate;
mod misspelt;
mod modules;
mod new;
mod on_failure;
mod operation;
mod outbox;
mod output;
mod pause;
mod personal_data;
mod problem;
mod progress;
mod projection;
mod projections;
mod psql;
mod query;
mod reactors;
mod rebuild;
#[cfg(test)]
mod reference;
mod rehearse;
mod replay;
mod resume;
mod retire;
mod retry;
mod rollback;
mod rust_target;
mod serve;
mod sinks;
mod sources;
mod sse;
mod stats;
mod stream_name;
mod streams;
mod tokens;
mod top;
mod types;
mod upcasters;
mod usage;
mod verify;
mod verify_stream;
mod wait_for;

use std::{io, process::ExitCode, time::Duration};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{config::LogOptions, telemetry};

/// Stores events, folds them into read models with WebAssembly components, and serves the read models over HTTP.
#[derive(Parser, Debug)]
#[command(name = "gnomon", version, max_term_width = 120, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    log: LogOptions,
}

// The struct of each command has its help text.
#[derive(Subcommand, Debug)]
enum Command {
    // Its options are many.
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    New(new::New),
    Build(build::Build),
    Deploy(deploy::Deploy),
    Modules(modules::Modules),
    Projections(projections::Projections),
    Rebuild(rebuild::Rebuild),
    Activate(activate::ActivateBuild),
    Rollback(rollback::Rollback),
    Pause(pause::Pause),
    Resume(resume::Resume),
    Retry(retry::Retry),
    OnFailure(on_failure::OnFailure),
    DeadLetters(dead_letters::DeadLetters),
    History(history::History),
    Retire(retire::Retire),
    Compare(compare::Compare),
    Verify(verify::Verify),
    Delete(delete::Delete),
    Upcasters(upcasters::Upcasters),
    Reactors(reactors::Reactors),
    Rehearse(rehearse::Rehearse),
    // Its options are many, too.
    Sinks(Box<sinks::Sinks>),
    Outbox(outbox::Outbox),
    // Its options are many, too.
    PersonalData(Box<personal_data::PersonalData>),
    Forget(forget::Forget),
    Tokens(tokens::Tokens),
    Login(login::Login),
    Logout(login::Logout),
    Query(query::Query),
    Export(export::Export),
    Types(types::Types),
    Psql(psql::Psql),
    Append(append::Append),
    Import(import::Import),
    Events(events::Events),
    Streams(streams::Streams),
    Stats(stats::Stats),
    Explain(explain::Explain),
    Replay(replay::Replay),
    Migrate(migrate::Migrate),
    Doctor(doctor::Doctor),
    Top(top::Top),
    Bench(bench::Bench),
    Completions(completions::Completions),
    #[command(hide = true)]
    CompileModule(compile_module::CompileModule),
}

/// How long work that a command has begun on other threads may last beyond its end.
const RUNTIME_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a host that fails may send its last spans and log records.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Reads the command line and runs the command.
#[must_use]
pub fn run() -> ExitCode {
    completions::answer_shell(Cli::command);
    let arguments = || std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::exit(&usage::with_whole_usage(error, Cli::command(), arguments().skip(1))),
    };
    // It is a process for one thing, and begins with nothing else: no log, no threads.
    if let Command::CompileModule(command) = cli.command {
        return command.run();
    }
    match try_run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has seen enough, such as `head`.
        Err(error)
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            output::say(format_args!("error: {}", causes::with_causes(&error)));
            ExitCode::FAILURE
        }
    }
}

fn try_run(cli: Cli) -> anyhow::Result<()> {
    // The provider that sqlx uses as well; reqwest leaves the choice to the program. Only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sent_from = cli.command.is_host().then(|| runtime.handle().clone());
    telemetry::start(&cli.log, cli.command.default_log(), sent_from).map_err(|error| match error {
        telemetry::StartError::Filter(_) => {
            let found = cli.log.log.as_deref().unwrap_or_default();
            anyhow::anyhow!(
                "`{found}` is not a filter for --log (GNOMON_LOG); write a level, such as debug, or levels by target, such as \
                 info,gnomon::guest=debug"
            )
        }
        telemetry::StartError::Otlp(error) => error.into(),
    })?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => (*command).run().await,
            Command::Demo(command) => command.run().await,
            Command::New(command) => command.run().await,
            Command::Build(command) => command.run().await,
            Command::Deploy(command) => command.run().await,
            Command::Modules(command) => command.run().await,
            Command::Projections(command) => command.run().await,
            Command::Rebuild(command) => command.run().await,
            Command::Activate(command) => command.run().await,
            Command::Rollback(command) => command.run().await,
            Command::Pause(command) => command.run().await,
            Command::Resume(command) => command.run().await,
            Command::Retry(command) => command.run().await,
            Command::OnFailure(command) => command.run().await,
            Command::DeadLetters(command) => command.run().await,
            Command::History(command) => command.run().await,
            Command::Retire(command) => command.run().await,
            Command::Compare(command) => command.run().await,
            Command::Verify(command) => command.run().await,
            Command::Delete(command) => command.run().await,
            Command::Upcasters(command) => command.run().await,
            Command::Reactors(command) => command.run().await,
            Command::Rehearse(command) => command.run().await,
            Command::Sinks(command) => (*command).run().await,
            Command::Outbox(command) => command.run().await,
            Command::PersonalData(command) => (*command).run().await,
            Command::Forget(command) => command.run().await,
            Command::Tokens(command) => command.run().await,
            Command::Login(command) => command.run().await,
            Command::Logout(command) => command.run(),
            Command::Query(command) => command.run().await,
            Command::Export(command) => command.run().await,
            Command::Types(command) => command.run().await,
            Command::Psql(command) => command.run(),
            Command::Append(command) => command.run().await,
            Command::Import(command) => command.run().await,
            Command::Events(command) => command.run().await,
            Command::Streams(command) => command.run().await,
            Command::Stats(command) => command.run().await,
            Command::Explain(command) => command.run().await,
            Command::Replay(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
            Command::Doctor(command) => command.run().await,
            Command::Top(command) => command.run().await,
            Command::Bench(command) => command.run().await,
            Command::Completions(command) => command.run(&Cli::command()),
            Command::CompileModule(_) => Ok(()),
        }
    });
    // A host that did not come to its end in order; in order, all is sent already.
    runtime.block_on(telemetry::stop_sending(LAST_WORDS));
    // What still computes, such as a compilation, does not keep the process.
    runtime.shutdown_timeout(RUNTIME_TIMEOUT);
    done
}

impl Command {
    /// Whether it runs a host, which may send traces and logs.
    fn is_host(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Demo(_))
    }

    /// The default of `--log`: a host logs what it does, and all other commands print that themselves. The demo hides the warnings
    /// of the pool about connections that end at Ctrl-C.
    fn default_log(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Migrate(_) => "info",
            Self::Demo(_) => "warn,sqlx_core::pool=error",
            _ => "warn",
        }
    }
}
