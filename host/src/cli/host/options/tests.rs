use clap::{Arg, Command, FromArgMatches};

use super::*;
use crate::{config::ClientOptions, projector::ProjectorSettings};

/// A command with only the options of `T`, without variables of the environment.
fn command<T: Args>() -> Command {
    T::augment_args(Command::new("serve")).mut_args(|argument| argument.env(None))
}

fn settings(arguments: &[String]) -> ServerSettings {
    let arguments = std::iter::once("serve".to_owned()).chain(arguments.iter().cloned());
    HostOptions::from_arg_matches(&command::<HostOptions>().get_matches_from(arguments)).unwrap().settings()
}

#[test]
fn without_options_a_host_has_the_default_settings() {
    let without_options = ServerSettings { cache: None, compiler: None, ..settings(&[]) };
    assert_eq!(format!("{without_options:?}"), format!("{:?}", ServerSettings::default()));
}

#[test]
fn each_limit_reaches_the_setting_of_its_name() {
    let names: Vec<String> = command::<HostOptions>()
        .get_arguments()
        .filter_map(Arg::get_long)
        .filter(|name| name.starts_with("max-"))
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 20, "{names:?}");
    // Each gets a different number. Names may have at most 2,000 bytes, rows must be allowed at least 64 KiB, and connections at most
    // 1,000.
    for (number, name) in (1001..).zip(&names) {
        let number = match name.as_str() {
            "max-row-bytes" => 1_000_003,
            "max-connections" => 997,
            _ => number,
        };
        let settings = format!("{:?}", settings(&[format!("--{name}={number}")]));
        let (seconds, field) = (format!("{number}s"), name.replace('-', "_"));
        let found = [number.to_string(), seconds]
            .iter()
            .any(|value| [", ", " }"].iter().any(|end| settings.contains(&format!("{field}: {value}{end}"))));
        assert!(found, "--{name}={number}: {settings}");
    }
}

#[test]
fn options_of_the_projector_reach_its_settings() {
    let given = [
        "--batch-events=11",
        "--batch-bytes=12",
        "--replay-threads=13",
        "--lease=0.5",
        "--keep-replaced=14",
        "--keep-past=25",
    ];
    let settings = settings(&given.map(str::to_owned));
    let ProjectorSettings { batch, replay_threads, folding_threads, lease, keep_replaced, .. } = settings.projector;
    let ProjectorSettings { max_dead_letters, max_kept_rows_bytes, past, .. } = settings.projector;
    assert_eq!((past.keep_past.as_secs(), settings.operations.past), (25, past));
    assert_eq!((batch.max_events, batch.max_bytes, replay_threads), (11, 12, 13));
    assert_eq!((lease.as_millis(), keep_replaced.as_secs()), (500, 14));
    let default = ProjectorSettings::default();
    assert_eq!((max_dead_letters, max_kept_rows_bytes), (default.max_dead_letters, default.max_kept_rows_bytes));
    assert_eq!(folding_threads, default.folding_threads);
}

#[test]
fn options_of_appends_reach_the_settings_of_the_log() {
    let given = ["--append-timeout=1.5", "--answer-timeout=2.5", "--end-stuck-after=3.5"].map(str::to_owned);
    let log = settings(&given).log;
    let millis = [log.append_timeout, log.answer_timeout, log.end_stuck_after].map(|time| time.as_millis());
    assert_eq!(millis, [1500, 2500, 3500]);
}

#[test]
fn options_of_queries_reach_their_settings() {
    let http = |given: &[&str]| settings(&given.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>()).http;
    let (default, given) = (http(&[]), http(&["--aggregates=false", "--plans"]));
    assert_eq!((default.aggregates, default.plans), (true, false));
    assert_eq!((given.aggregates, given.plans), (false, true));
}

#[test]
fn options_of_operations_reach_their_settings() {
    assert_eq!(settings(&["--lock-timeout=1.5".to_owned()]).operations.lock_timeout.as_millis(), 1500);
}

/// What cannot be meant is refused before anything is started, with the range.
#[test]
fn every_number_has_a_range() {
    let names: Vec<String> = command::<HostOptions>()
        .get_arguments()
        .filter(|argument| matches!(argument.get_value_names(), Some([name]) if ["NUMBER", "BYTES", "SECONDS"].contains(&name.as_str())))
        .filter_map(Arg::get_long)
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 25, "{names:?}");
    for name in &names {
        for wrong in ["-1", "1e30", "many"] {
            let refused = command::<HostOptions>().try_get_matches_from(["serve", &format!("--{name}={wrong}")]);
            let message = refused.unwrap_err().to_string();
            assert!(message.contains(" from ") && message.contains(" to "), "--{name}={wrong}: {message}");
        }
    }
    for zero in ["lease", "max-batch-time", "max-page", "max-rows", "max-body-bytes", "batch-events", "max-connections"]
    {
        let refused = command::<HostOptions>().try_get_matches_from(["serve", &format!("--{zero}=0")]);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(&format!("invalid value '0' for '--{zero}")), "{message}");
    }
}

/// `config` does not depend on `server`, so it repeats the address.
#[test]
fn the_default_url_of_clients_is_the_default_address_of_hosts() {
    let matches = command::<ClientOptions>().get_matches_from(["serve"]);
    let client = ClientOptions::from_arg_matches(&matches).unwrap();
    assert_eq!(client.url, format!("http://{}", ServerSettings::default().listen));
}

#[test]
fn the_command_for_sql_is_that_of_the_host() {
    let psql = |arguments: &[&str]| {
        let arguments = std::iter::once("serve").chain(arguments.iter().copied());
        HostOptions::from_arg_matches(&command::<HostOptions>().get_matches_from(arguments)).unwrap().psql()
    };
    assert_eq!(psql(&[]), "`gnomon psql`");
    assert_eq!(psql(&["--data-dir", "/srv/g"]), "`gnomon psql --data-dir /srv/g`");
    let given = psql(&["--database-url", "postgres://u:secret@h/d", "--data-dir", "/srv/g"]);
    assert_eq!(given, "`gnomon psql` with the same DATABASE_URL");
}

#[test]
fn bounds_of_time_reach_their_settings() {
    let given = ["idle", "write", "body", "request", "shutdown"].map(|name| format!("--{name}-timeout=1.5"));
    let ServerSettings { http, shutdown_timeout, .. } = settings(&given);
    let (connections, work) = (http.connections, http.work);
    for found in
        [connections.idle_timeout, connections.write_timeout, work.body_timeout, work.request_timeout, shutdown_timeout]
    {
        assert_eq!(found.as_millis(), 1500);
    }
}

#[test]
fn names_of_the_host_reach_their_setting() {
    let given = ["--allowed-host", "a.example,B", "--allowed-host", "*"].map(str::to_owned);
    let names: Vec<String> = settings(&given).http.allowed_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a.example", "b", "*"]);
}

#[test]
fn origins_of_pages_reach_their_setting() {
    let given = ["--cors-origin", "https://a.example,http://b:1", "--cors-origin", "*"].map(str::to_owned);
    let origins: Vec<String> = settings(&given).http.cors_origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://a.example", "http://b:1", "*"]);
}
