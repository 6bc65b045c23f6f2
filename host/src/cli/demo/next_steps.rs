//! Commands to try next.

use crate::{
    cli::{host::RunningHost, output::say},
    server::ServerSettings,
};

/// An arrival that is not among the real ones: from New York to Oslo.
const FLIGHT: &str = "append flight-20130107-UA1-JFK --type FlightArrived --schema-version 2 --data '{\"day\": \"2013-01-07\", \
                      \"carrier\": \"UA\", \"tailnum\": \"N14228\", \"origin\": \"JFK\", \"dest\": \"OSL\", \"arr_delay\": -20, \
                      \"air_time\": 420, \"distance\": 3682}'";

pub(super) fn show(host: &RunningHost) {
    // The demo is often started before `gnomon` is installed.
    let program = quoted(&std::env::args().next().unwrap_or_else(|| "gnomon".to_owned()));
    let finder = finder(&host.url(), std::env::var("GNOMON_URL").ok());
    say("\nTry it in another terminal, in this folder, while the host runs:\n");
    for (what, command) in lines(|arguments| format!("{program} {arguments}{finder}")) {
        say(format_args!("{what}\n\n  {command}\n"));
    }
    say("Then write a projection of your own: README.md says how.");
}

/// A departure that is three hours late.
const LATE: &str = "append flight-20130107-UA2-JFK --type FlightDeparted --data '{\"day\": \"2013-01-07\", \"carrier\": \"UA\", \
                    \"tailnum\": \"N14228\", \"origin\": \"JFK\", \"dest\": \"OSL\", \"dep_delay\": 180}'";

/// Lines to paste, and what each shows.
fn lines(gnomon: impl Fn(&str) -> String) -> [(&'static str, String); 5] {
    [
        (
            "Query a table that a module fills: the latest arrivals of the week.",
            gnomon("query punctuality route --order max_arr_delay.desc --limit 5"),
        ),
        (
            "Append an event of your own. The query waits for it: the table has one more route.",
            format!("{} && {}", gnomon(FLIGHT), gnomon("query punctuality route origin=eq.JFK dest=eq.OSL")),
        ),
        (
            "Let a flight leave three hours late: its passengers get a message, which is shown here. Then look at reactors and messages.",
            [gnomon(LATE), gnomon("reactors"), gnomon("outbox --sink passengers --limit 3")].join(" && "),
        ),
        (
            "Look into the past: the same table as it was in the middle of the week, after 9,000 events.",
            gnomon("query punctuality route --as-of 9000 --order max_arr_delay.desc --limit 5"),
        ),
        (
            "Build the read model once more, with batches of other sizes, and see that each row is the same.",
            gnomon("verify punctuality"),
        ),
    ]
}

/// How a command finds the host: not at all if it looks there anyway.
fn finder(url: &str, variable: Option<String>) -> String {
    let default = variable.unwrap_or_else(|| format!("http://{}", ServerSettings::default().listen));
    if url == default { String::new() } else { format!(" --url {url}") }
}

/// A path as a word of a shell's line.
fn quoted(path: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+".contains(character);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_given_where_commands_do_not_look_there() {
        assert_eq!(finder("http://127.0.0.1:7070", None), "");
        assert_eq!(finder("http://127.0.0.1:4711", None), " --url http://127.0.0.1:4711");
        assert_eq!(finder("http://127.0.0.1:4711", Some("http://127.0.0.1:4711".to_owned())), "");
        let elsewhere = Some("https://example.org".to_owned());
        assert_eq!(finder("http://127.0.0.1:7070", elsewhere), " --url http://127.0.0.1:7070");
    }

    #[test]
    fn a_path_with_spaces_is_one_word() {
        assert_eq!(quoted("target/release/gnomon"), "target/release/gnomon");
        assert_eq!(quoted("it's here/gnomon"), r"'it'\''s here/gnomon'");
    }
}
