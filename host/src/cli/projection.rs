//! Projections and builds as text.

use std::fmt::{self, Write};

use super::figures;
use crate::api::{Build, BuildError, FailureKind, Frame, PinnedUpcaster, Projection, RunningVerification};

/// Functions of a backtrace that are shown.
const SHOWN_FRAMES: usize = 12;

impl Projection {
    /// One of its builds.
    pub(in crate::cli) fn build(&self, number: u64) -> Option<&Build> {
        self.builds.iter().find(|build| build.build == number)
    }
}

impl Build {
    /// Its number and version: `build 4 (version 2)`.
    pub(in crate::cli) fn label(&self) -> String {
        format!("build {} (version {})", self.build, self.version)
    }

    /// Why it stopped, with the event and the backtrace on lines of their own, or what it waits for; `None` if it does neither.
    pub(in crate::cli) fn why_it_stopped(&self, projection: &str) -> Option<String> {
        let Some(error) = &self.error else {
            let waits_for = self.waits_for.as_ref()?;
            return Some(format!(
                "build {} of `{projection}` (version {}) waits: {waits_for}",
                self.build, self.version
            ));
        };
        let label = format!("build {} of `{projection}` (version {}) {}", self.build, self.version, self.state);
        Some(with_error(label, error, &self.upcasters))
    }
}

impl RunningVerification {
    /// Its number, and the build that is verified: `verification 2 of build 4 (version 2)`.
    pub(in crate::cli) fn label(&self) -> String {
        format!("verification {} of build {} (version {})", self.verification, self.build, self.version)
    }

    /// As [`Build::why_it_stopped`].
    pub(in crate::cli) fn why_it_stopped(&self, projection: &str) -> Option<String> {
        let Some(error) = &self.error else {
            let waits_for = self.waits_for.as_ref()?;
            return Some(format!("verification {} of `{projection}` waits: {waits_for}", self.verification));
        };
        let label =
            format!("verification {} of `{projection}` (build {}) {}", self.verification, self.build, self.state);
        Some(with_error(label, error, &self.upcasters))
    }
}

/// What stopped, where and why, and how to see the event.
pub(in crate::cli) fn with_error(mut label: String, error: &BuildError, upcasters: &[PinnedUpcaster]) -> String {
    if let Some(position) = error.position {
        let _ = write!(label, " at position {position}");
    }
    let _ = write!(label, ": {error}");
    if let Some(before) = error.position.and_then(|position| position.checked_sub(1)) {
        // A module sees an event behind the upcasters of its build, and an upcaster that fails sees it as it is in the log.
        let upcast = if upcasters.is_empty() || error.upcaster.is_some() { "" } else { " --upcast" };
        let _ = write!(label, "\n  see it   gnomon events --after {before} --limit 1{upcast}");
    }
    label
}

impl BuildError {
    /// The frames of the module's own code, without those of Rust's standard library; all frames if none is known to be its own.
    fn frames(&self) -> Vec<&Frame> {
        let own = |frame: &&Frame| frame.file.as_ref().is_some_and(|file| !file.starts_with("/rustc/"));
        let frames: Vec<&Frame> = self.backtrace.iter().filter(own).collect();
        if frames.is_empty() { self.backtrace.iter().collect() } else { frames }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref().unwrap_or_default();
        let did = match &self.kind {
            Some(FailureKind::Refused) => "could not handle the event",
            Some(FailureKind::Trapped) => "panicked or trapped",
            Some(FailureKind::TimedOut) => "took too long",
            Some(FailureKind::OutOfMemory) => "ran out of memory",
            Some(FailureKind::BrokeContract) => "broke the contract",
            Some(FailureKind::Other(other)) => other,
            None => {
                return match (self.found, self.max) {
                    (Some(found), Some(max)) => {
                        let events = figures::counted(found, "event");
                        write!(f, "{events} would be set aside; the limit max_dead_letters is {max}")
                    }
                    _ => f.write_str(message),
                };
            }
        };
        match &self.upcaster {
            Some(upcaster) => write!(f, "upcaster `{}` version {} {did}", upcaster.name, upcaster.version)?,
            None => write!(f, "its module {did}")?,
        }
        if let (Some(event_type), Some(stream)) = (&self.event_type, &self.stream) {
            write!(f, "\n  event    {event_type} of stream {stream}")?;
        }
        write!(f, "\n  message  {}", message.trim_end().replace('\n', "\n           "))?;
        let frames = self.frames();
        for (index, frame) in frames.iter().take(SHOWN_FRAMES).enumerate() {
            f.write_str(if index == 0 { "\n  in       " } else { "\n           " })?;
            f.write_str(&frame.function)?;
            if let (Some(file), Some(line)) = (&frame.file, frame.line) {
                write!(f, " ({file}:{line})")?;
            }
        }
        if frames.len() > SHOWN_FRAMES {
            f.write_str("\n           …")?;
        }
        Ok(())
    }
}

/// Projections and builds for tests.
#[cfg(test)]
pub(super) mod samples {
    use serde_json::{Value, json};

    use crate::api::{Build, Projection, RunningVerification};

    /// A build with these members, and default ones for the rest.
    pub(in crate::cli) fn build(members: Value) -> Build {
        let usual = json!({
            "build": 4, "version": 1, "state": "replaying", "checkpoint": 0, "head": 0, "lag": 0, "events_per_second": 0.0,
            "seconds_left": null, "error": null, "dead_letters": 0, "out_of_order": 0, "upcasters": [],
            "activate_when_live": true, "created_at": "2026-01-01T00:00:00Z", "replaced_at": null,
        });
        with(usual, members)
    }

    /// A verification with these members, and default ones for the rest.
    pub(in crate::cli) fn verification(members: Value) -> RunningVerification {
        let usual = json!({
            "verification": 1, "build": 4, "version": 1, "state": "replaying", "checkpoint": 0, "head": 0, "lag": 0,
            "events_per_second": 0.0, "seconds_left": null, "error": null, "dead_letters": 0,
            "upcasters": [], "created_at": "2026-01-01T00:00:00Z",
        });
        with(usual, members)
    }

    /// The projection `bank`, with these builds.
    pub(in crate::cli) fn projection(active_build: Option<u64>, builds: Vec<Build>) -> Projection {
        let usual = json!({
            "name": "bank", "active_build": active_build, "active_version": null, "on_failure": "halt", "tables": [],
            "builds": builds, "verifications": [],
        });
        with(usual, json!({}))
    }

    fn with<T: serde::de::DeserializeOwned>(mut usual: Value, members: Value) -> T {
        let (Value::Object(usual_members), Value::Object(members)) = (&mut usual, members) else {
            panic!("not an object")
        };
        usual_members.extend(members);
        serde_json::from_str(&usual.to_string()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stopped(error: &str) -> String {
        let error: serde_json::Value = serde_json::from_str(error).unwrap();
        let build = json!({"build": 4, "version": 2, "state": "halted", "checkpoint": 16, "head": 20, "error": error});
        samples::build(build).why_it_stopped("bank").unwrap()
    }

    #[test]
    fn a_halted_build_names_event_message_and_line() {
        let error = r#"{"reason":"module","position":17,"kind":"trapped","stream":"account-7","event_type":"MoneyWithdrawn",
            "message":"panicked at src/lib.rs:93:5:\nno account",
            "backtrace":[{"function":"abort"},{"function":"core::panicking::panic_fmt","file":"/rustc/5980/library/core/src/panicking.rs","line":80},
                {"function":"bank::book","file":"/src/lib.rs","line":93},{"function":"function 12"}]}"#;
        insta::assert_snapshot!(stopped(error), @r"
        build 4 of `bank` (version 2) halted at position 17: its module panicked or trapped
          event    MoneyWithdrawn of stream account-7
          message  panicked at src/lib.rs:93:5:
                   no account
          in       bank::book (/src/lib.rs:93)
          see it   gnomon events --after 16 --limit 1
        ");
    }

    #[test]
    fn an_upcaster_that_failed_is_named() {
        let error = r#"{"reason":"module","position":17,"upcaster":{"name":"flight_arrivals","version":3},"kind":"refused",
            "stream":"flight-7","event_type":"FlightArrived","message":"no delay"}"#;
        insta::assert_snapshot!(stopped(error), @r"
        build 4 of `bank` (version 2) halted at position 17: upcaster `flight_arrivals` version 3 could not handle the event
          event    FlightArrived of stream flight-7
          message  no delay
          see it   gnomon events --after 16 --limit 1
        ");
    }

    #[test]
    fn an_event_is_shown_as_the_module_saw_it() {
        let stopped_behind = |upcaster: serde_json::Value| {
            let error =
                json!({"reason": "module", "position": 17, "upcaster": upcaster, "kind": "refused", "message": "no"});
            let build = json!({"error": error, "upcasters": [{"name": "orders_up", "version": 1}]});
            samples::build(build).why_it_stopped("bank").unwrap()
        };
        assert!(stopped_behind(json!(null)).ends_with("\n  see it   gnomon events --after 16 --limit 1 --upcast"));
        // `--upcast` would only fail again.
        let failed = stopped_behind(json!({"name": "orders_up", "version": 1}));
        assert!(failed.ends_with("\n  see it   gnomon events --after 16 --limit 1"), "{failed}");
    }

    #[test]
    fn a_long_backtrace_is_cut_short() {
        let frames = vec![r#"{"function":"f"}"#; SHOWN_FRAMES + 3].join(",");
        let text = stopped(&format!(
            r#"{{"reason":"module","position":1,"kind":"refused","message":"no","backtrace":[{frames}]}}"#
        ));
        assert_eq!(text.matches("\n           f").count(), SHOWN_FRAMES - 1);
        assert!(text.contains("\n           …\n"), "{text}");
    }

    #[test]
    fn other_reasons_are_shown_as_they_are() {
        let text = stopped(r#"{"reason":"host","message":"the disk is full"}"#);
        assert_eq!(text, "build 4 of `bank` (version 2) halted: the disk is full");
        let text = stopped(r#"{"reason":"too_many_dead_letters","found":4,"max":3}"#);
        assert!(text.ends_with("halted: 4 events would be set aside; the limit max_dead_letters is 3"), "{text}");
    }
}
