//! `gnomon rehearse`

use clap::Args;

use super::{client::Client, figures, output};
use crate::{
    api::{EffectEvent, ExpectedVersion, ModuleFailure, Rehearsal, RehearseQuery, RehearsedEffect},
    config::ClientOptions,
};

/// Show what a version of a reactor would have done, beside what the version does that works. Nothing is carried out.
///
/// Both are run over the events of the log from where the reactor began, and what they answer is shown from `--from` to `--to`. What the reactor heard of
/// its own effects is what it heard then: a version that makes other calls hears nothing of those.
#[derive(Args, Debug)]
// It has an option --version of its own.
#[command(disable_version_flag = true)]
pub(super) struct Rehearse {
    /// The reactor
    #[arg(add = crate::cli::known_names::modules())]
    reactor: String,

    /// The position of the first event whose effects are shown
    #[arg(long, value_name = "POSITION")]
    from: u64,

    /// The position of the last one
    #[arg(long, value_name = "POSITION")]
    to: u64,

    /// The version [default: the newest]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u32>,

    /// Show also events that both versions answer alike
    #[arg(long)]
    all: bool,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Rehearse {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = RehearseQuery { version: self.wanted, from: self.from, to: self.to };
        let body = client.text(client.get(&["v1", "reactors", &self.reactor, "rehearsal"]).query(&query)).await?;
        if self.json {
            output::data(body)?;
            return Ok(());
        }
        let rehearsal: Rehearsal = client.parse(&body)?;
        for line in lines(&rehearsal, self.all) {
            output::data(line)?;
        }
        output::say(summary(&rehearsal));
        Ok(())
    }
}

/// A line for each event, and one for each effect: `-` has the version that works only, `+` the rehearsed one only.
fn lines(rehearsal: &Rehearsal, all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for event in rehearsal.events.iter().filter(|event| all || !event.same || rehearsal.active_version.is_none()) {
        lines.push(format!("{} {} {}", event.position, event.stream, event.event_type));
        let (theirs, active): (Vec<_>, Vec<_>) =
            (event.effects.iter().map(in_a_line).collect(), event.active_effects.iter().map(in_a_line).collect());
        if event.same {
            lines.extend(theirs.iter().map(|effect| format!("    {effect}")));
        } else {
            lines.extend(active.iter().filter(|effect| !theirs.contains(effect)).map(|effect| format!("  - {effect}")));
            let sign = |effect: &String| if active.contains(effect) { ' ' } else { '+' };
            lines.extend(theirs.iter().map(|effect| format!("  {} {effect}", sign(effect))));
        }
    }
    lines
}

fn in_a_line(effect: &RehearsedEffect) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let data = effect.data.as_ref().map_or_else(String::new, |data| format!(" {data}"));
    match effect.kind.as_str() {
        "append" => {
            let expected = match &effect.expected_version {
                None | Some(ExpectedVersion::Any) => String::new(),
                Some(ExpectedVersion::NoStream) => " (new)".to_owned(),
                Some(ExpectedVersion::Exact(version)) => format!(" (at version {version})"),
            };
            let event = |EffectEvent { event_type, data, .. }: &EffectEvent| format!(" {event_type} {data}");
            let events: String = effect.events.iter().map(event).collect::<Vec<_>>().join(",");
            format!("append to {}{expected}{events}", text(&effect.stream))
        }
        "publish" => format!("publish to {} {}{data}", text(&effect.sink), text(&effect.message_type)),
        "call" => format!("call {} {}{data}", text(&effect.sink), text(&effect.name)),
        "schedule" => {
            let at = effect.at.map(|at| format!(" at {at}")).unwrap_or_default();
            format!("schedule {}{at}{data}", text(&effect.name))
        }
        kind => format!("{kind} {}", text(&effect.name)),
    }
}

fn summary(rehearsal: &Rehearsal) -> String {
    let Rehearsal {
        reactor,
        version,
        active_version,
        events,
        failure,
        active_failure,
        set_aside,
        active_set_aside,
        ..
    } = rehearsal;
    let answered = |count: usize| figures::counted(count as u64, "event");
    let mut text = match active_version {
        Some(active) => {
            let differ = events.iter().filter(|event| !event.same).count();
            format!(
                "version {version} of reactor `{reactor}` answers {} otherwise than version {active} does, of {} that one of them answers",
                answered(differ),
                answered(events.len())
            )
        }
        None => {
            format!("version {version} of reactor `{reactor}`, which has not begun, answers {}", answered(events.len()))
        }
    };
    let both = [(Some(version), failure, *set_aside), (active_version.as_ref(), active_failure, *active_set_aside)];
    for (version, failure, set_aside) in both {
        if let Some(version) = version.filter(|_| set_aside > 0) {
            let passed = answered(usize::try_from(set_aside).unwrap_or(usize::MAX));
            text.push_str(&format!(
                "\nversion {version} passes over {passed} that it cannot handle, as the reactor is told to"
            ));
        }
        if let (Some(version), Some(ModuleFailure { position, message, .. })) = (version, failure) {
            text.push_str(&format!("\nversion {version} stops at position {position}: {message}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked() {
        let rehearsal: Rehearsal = serde_json::from_str(
            r#"{"reactor":"settlement","version":2,"active_version":1,"after":0,"failure":null,"set_aside":2,"active_set_aside":0,
                "active_failure":{"position":9,"kind":"refused","message":"there is no account"},
                "events":[
                    {"position":3,"stream":"transfer-1","event_type":"TransferRequested","same":true,
                     "effects":[{"kind":"cancel","name":"a"}],"active_effects":[{"kind":"cancel","name":"a"}]},
                    {"position":7,"stream":"transfer-2","event_type":"TransferRequested","same":false,
                     "effects":[
                        {"kind":"append","stream":"account-1","expected_version":3,"events":[{"type":"MoneyWithdrawn","schema_version":1,"data":{"amount":1.50}}]},
                        {"kind":"schedule","name":"transfer-2","at":"2026-01-01T00:15:00Z","data":null},
                        {"kind":"publish","sink":"mail","message_type":"transfer.asked","data":"x"}],
                     "active_effects":[
                        {"kind":"append","stream":"account-1","expected_version":3,"events":[{"type":"MoneyWithdrawn","schema_version":1,"data":{"amount":1.50}}]},
                        {"kind":"call","sink":"bank","name":"transfer-2","data":1}]}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(lines(&rehearsal, false).join("\n"), @r#"
        7 transfer-2 TransferRequested
          - call bank transfer-2 1
            append to account-1 (at version 3) MoneyWithdrawn {"amount":1.50}
          + schedule transfer-2 at 2026-01-01T00:15:00Z
          + publish to mail transfer.asked "x"
        "#);
        assert_eq!(lines(&rehearsal, true).len(), lines(&rehearsal, false).len() + 2);
        insta::assert_snapshot!(summary(&rehearsal), @r"
        version 2 of reactor `settlement` answers 1 event otherwise than version 1 does, of 2 events that one of them answers
        version 2 passes over 2 events that it cannot handle, as the reactor is told to
        version 1 stops at position 9: there is no account
        ");
    }
}
