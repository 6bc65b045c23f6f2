//! What needs attention, the most urgent first, each with the command that says more.

use super::{
    history::{BuildKey, BuildMoment, History},
    moments::{ReactorMoment, SinkMoment},
};
use crate::cli::figures;

/// A lag that grows is worth a look from here on, in seconds.
const LAG: f64 = 5.0;
/// A message that waits is worth a look from here on, in seconds: a few tries have failed by then.
const WAIT: f64 = 60.0;

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attention {
    pub(super) urgency: Urgency,
    pub(super) text: String,
}

/// How urgent something is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// The host answers nothing, or nothing that is right.
    Host,
    /// A build, a reactor or what publishes the log stands still until somebody does something.
    Stopped,
    /// A build or a reactor gets further behind, or messages wait.
    Behind,
    /// Nobody works on a build, or it waits for somebody.
    Idle,
    /// Events are set aside, or messages have failed.
    SetAside,
    /// A build that queries have left stands still.
    Replaced,
    /// Something could not be seen.
    Unseen,
}

/// Looks for what needs attention.
pub(super) fn attention(history: &History) -> Vec<Attention> {
    let mut found = Vec::new();
    let mut add = |urgency, text: String| found.push(Attention { urgency, text });
    if let Some((since, reason)) = history.lost() {
        add(Urgency::Host, format!("{reason}, for {}; what is below is old", figures::time(since)));
    }
    let Some(newest) = history.newest() else { return found };
    if let Some(reason) = &newest.not_ready {
        add(Urgency::Host, format!("the host is not ready: {reason}"));
    }
    for (key, build) in &newest.builds {
        of_build(history, key, build, &mut add);
    }
    for (name, reactor) in &newest.reactors {
        of_reactor(history, name, reactor, &mut add);
    }
    for (name, sink) in &newest.sinks {
        of_sink(name, sink, &mut add);
    }
    if !newest.missing.is_empty() {
        add(Urgency::Unseen, format!("Postgres did not say in time: {}", newest.missing.join(", ")));
    }
    found.sort_by_key(|attention| attention.urgency);
    found
}

fn of_build(history: &History, key: &BuildKey, build: &BuildMoment, add: &mut impl FnMut(Urgency, String)) {
    let (projection, number) = key;
    let name = format!("{projection} build {number}");
    if build.is_replaced && build.is_stopped() {
        add(
            Urgency::Replaced,
            format!(
                "{name} has {}, and was replaced; no query reads it: gnomon retire {projection} {number}",
                build.state
            ),
        );
        return;
    }
    if build.is_stopped() {
        let next = build.checkpoint + 1;
        add(
            Urgency::Stopped,
            format!(
                "{name} has {} behind position {}: gnomon projections {projection}; gnomon explain {next}",
                build.state, build.checkpoint
            ),
        );
    } else if build.leased == Some(false) {
        add(Urgency::Idle, format!("no host works on {name}; one takes it within seconds if it can"));
    } else if build.blocked {
        add(Urgency::Idle, format!("{name} waits for a lock of another session: gnomon projections {projection}"));
    } else if build.state != "paused" && build.lag_seconds >= LAG && history.falls_behind(key) {
        add(Urgency::Behind, format!("{name} falls behind: its rows are {} old", seconds(build.lag_seconds)));
    }
    if build.dead_letters > 0 {
        let letters = figures::counted(build.dead_letters, "event");
        add(
            Urgency::SetAside,
            format!("{name} has set {letters} aside: gnomon dead-letters {projection} --build {number}"),
        );
    }
}

fn of_reactor(history: &History, name: &str, reactor: &ReactorMoment, add: &mut impl FnMut(Urgency, String)) {
    let ReactorMoment { state, checkpoint, lag_seconds, dead_letters, .. } = reactor;
    if reactor.is_stopped() {
        add(Urgency::Stopped, format!("reactor {name} has {state} behind position {checkpoint}: gnomon reactors"));
    } else if state != "paused" && *lag_seconds >= LAG && history.reactor_falls_behind(name) {
        let waits = seconds(*lag_seconds);
        add(Urgency::Behind, format!("reactor {name} falls behind: an event waits for {waits}: gnomon reactors"));
    }
    if *dead_letters > 0 {
        let letters = figures::counted(*dead_letters, "event");
        add(Urgency::SetAside, format!("reactor {name} has set {letters} aside: gnomon reactors dead-letters {name}"));
    }
}

fn of_sink(name: &str, sink: &SinkMoment, add: &mut impl FnMut(Urgency, String)) {
    let &SinkMoment { pending, oldest_seconds, failed, publication } = sink;
    if publication.is_some_and(|publication| publication.is_failing) {
        add(Urgency::Stopped, format!("sink {name} does not publish the log: gnomon sinks --json"));
    }
    if pending > 0 && oldest_seconds >= WAIT {
        let (messages, waits) = (figures::counted(pending, "message"), seconds(oldest_seconds));
        let command = format!("gnomon outbox --sink {name} --state pending");
        add(Urgency::Behind, format!("sink {name}: {messages} not delivered, the oldest for {waits}: {command}"));
    }
    if failed > 0 {
        let command = format!("gnomon outbox --sink {name} --state failed");
        add(Urgency::SetAside, format!("sink {name}: {} failed: {command}", figures::counted(failed, "message")));
    }
}

/// Seconds for people.
pub(super) fn seconds(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds.max(0.0)).map_or_else(|_| "very".to_owned(), figures::time)
}

#[cfg(test)]
mod tests {
    use super::{
        super::history::tests::{history, said},
        *,
    };

    fn builds(lines: &[(&str, &str, f64, u64, Option<u8>, u8)]) -> String {
        let mut text = "gnomon_head_position 9\n".to_owned();
        for (projection, state, lag, letters, leased, blocked) in lines {
            let labels = format!("projection=\"{projection}\",build=\"1\"");
            text += &format!(
                "gnomon_build_state{{{labels},version=\"1\",state=\"{state}\"}} 1\ngnomon_build_lag_seconds{{{labels}}} {lag}\n\
                 gnomon_build_dead_letters{{{labels}}} {letters}\ngnomon_build_blocked{{{labels}}} {blocked}\n"
            );
            if let Some(leased) = leased {
                text += &format!("gnomon_build_leased{{{labels}}} {leased}\n");
            }
        }
        text
    }

    fn words(history: &History) -> Vec<(Urgency, String)> {
        attention(history).into_iter().map(|found| (found.urgency, found.text.chars().take(24).collect())).collect()
    }

    #[test]
    fn what_stands_still_comes_before_what_is_slow_and_that_before_what_is_set_aside() {
        let at = |second: f64| {
            said(&builds(&[
                ("a_letters", "active", 0.0, 2, Some(1), 0),
                ("b_blocked", "live", 0.0, 0, Some(1), 1),
                ("c_slow", "active", 10.0 + second, 0, Some(1), 0),
                ("d_halted", "halted", 99.0, 0, None, 0),
                ("e_idle", "replaying", 9.0, 0, Some(0), 0),
                ("f_paused", "paused", 10.0 + second, 0, None, 0),
                ("g_fine", "active", 1.0 + second, 0, Some(1), 0),
            ]))
        };
        let found = words(&history([at(0.0), at(1.0), at(2.0)]));
        let text = |urgency, text: &str| (urgency, text.to_owned());
        assert_eq!(
            found,
            [
                text(Urgency::Stopped, "d_halted build 1 has hal"),
                text(Urgency::Behind, "c_slow build 1 falls beh"),
                text(Urgency::Idle, "b_blocked build 1 waits "),
                text(Urgency::Idle, "no host works on e_idle "),
                text(Urgency::SetAside, "a_letters build 1 has se"),
            ]
        );
    }

    #[test]
    fn a_build_that_was_replaced_comes_last_and_may_be_retired() {
        let text = "gnomon_head_position 9\n\
                    gnomon_build_state{projection=\"bank\",build=\"1\",version=\"1\",state=\"failed\",role=\"replaced\"} 1\n\
                    gnomon_build_dead_letters{projection=\"bank\",build=\"1\"} 3\n\
                    gnomon_build_state{projection=\"bank\",build=\"2\",version=\"2\",state=\"live\",role=\"replaced\"} 1\n\
                    gnomon_build_state{projection=\"bank\",build=\"3\",version=\"3\",state=\"active\",role=\"active\"} 1\n\
                    gnomon_build_dead_letters{projection=\"bank\",build=\"3\"} 1\n";
        let found: Vec<_> = attention(&history([said(text)])).into_iter().map(|found| found.text).collect();
        assert_eq!(
            found,
            [
                "bank build 3 has set 1 event aside: gnomon dead-letters bank --build 3",
                "bank build 1 has failed, and was replaced; no query reads it: gnomon retire bank 1",
            ]
        );
    }

    #[test]
    fn reactors_that_stand_still_and_messages_that_wait_or_failed_are_said() {
        let at = |second: f64| {
            said(&format!(
                "gnomon_reactor_state{{reactor=\"halted\",version=\"1\",state=\"halted\"}} 1\n\
                 gnomon_reactor_checkpoint_position{{reactor=\"halted\"}} 7\n\
                 gnomon_reactor_state{{reactor=\"slow\",version=\"1\",state=\"running\"}} 1\n\
                 gnomon_reactor_lag_seconds{{reactor=\"slow\"}} {}\ngnomon_reactor_dead_letters{{reactor=\"slow\"}} 1\n\
                 gnomon_reactor_state{{reactor=\"paused\",version=\"1\",state=\"paused\"}} 1\n\
                 gnomon_reactor_lag_seconds{{reactor=\"paused\"}} {}\n\
                 gnomon_outbox_pending_messages{{sink=\"down\"}} 3\ngnomon_outbox_oldest_pending_seconds{{sink=\"down\"}} 60\n\
                 gnomon_outbox_failed_messages{{sink=\"down\"}} 2\n\
                 gnomon_outbox_pending_messages{{sink=\"busy\"}} 300\ngnomon_outbox_oldest_pending_seconds{{sink=\"busy\"}} 59\n\
                 gnomon_log_publication_lag_positions{{sink=\"log\"}} 9\ngnomon_log_publication_failing{{sink=\"log\"}} 1\n\
                 gnomon_log_publication_failing{{sink=\"fine\"}} 0\n",
                10.0 + second,
                10.0 + second
            ))
        };
        let found: Vec<_> =
            attention(&history([at(0.0), at(1.0), at(2.0)])).into_iter().map(|found| found.text).collect();
        assert_eq!(
            found,
            [
                "reactor halted has halted behind position 7: gnomon reactors",
                "sink log does not publish the log: gnomon sinks --json",
                "reactor slow falls behind: an event waits for 12.0 s: gnomon reactors",
                "sink down: 3 messages not delivered, the oldest for 1 min 0 s: gnomon outbox --sink down --state pending",
                "reactor slow has set 1 event aside: gnomon reactors dead-letters slow",
                "sink down: 2 messages failed: gnomon outbox --sink down --state failed",
            ]
        );
    }

    #[test]
    fn a_host_that_is_away_or_not_ready_comes_first() {
        let mut not_ready = said(&builds(&[("a", "halted", 0.0, 0, None, 0)])).unwrap();
        not_ready.not_ready = Some("appends cannot be made".to_owned());
        let found = words(&history([Ok(not_ready), Err("no host answers".to_owned())]));
        assert_eq!(found[0], (Urgency::Host, "no host answers, for 0.0".to_owned()));
        assert_eq!(found[1], (Urgency::Host, "the host is not ready: a".to_owned()));
        assert_eq!(found[2].0, Urgency::Stopped);
    }
}
