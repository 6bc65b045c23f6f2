//! Projections as a host tells of them.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

/// A projection.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Projection {
    pub(super) name: String,
    pub(super) active_build: Option<u64>,
    #[serde(default)]
    pub(super) on_failure: String,
    #[serde(default)]
    pub(super) tables: Vec<String>,
    /// Newest first.
    pub(super) builds: Vec<Build>,
}

/// A build.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Build {
    pub(super) build: u64,
    pub(super) version: u64,
    /// A text: a host may know states that this program does not.
    pub(super) state: String,
    pub(super) checkpoint: u64,
    pub(super) head: u64,
    /// None for a build that is retired.
    pub(super) lag: Option<u64>,
    pub(super) events_per_second: f64,
    pub(super) error: Option<BuildError>,
    #[serde(default)]
    pub(super) dead_letters: u64,
    /// Dead letters that were folded behind later events.
    #[serde(default)]
    pub(super) out_of_order: u64,
    /// `queries`, or `verify` if it was made to verify another one.
    #[serde(default)]
    pub(super) purpose: String,
    #[serde(default)]
    pub(super) activate_when_live: bool,
}

/// Why a build stopped.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct BuildError {
    /// What its module did: `refused`, `trapped` …; none if it was not the module.
    pub(super) kind: Option<String>,
    /// The event in hand.
    pub(super) position: Option<u64>,
    pub(super) stream: Option<String>,
    pub(super) event_type: Option<String>,
    #[serde(default)]
    pub(super) message: String,
    /// How many events would be set aside, and how many may be; none if that was not the reason.
    found: Option<u64>,
    max: Option<u64>,
    #[serde(default)]
    pub(super) backtrace: Vec<Frame>,
}

/// A function of a backtrace.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Frame {
    function: String,
    file: Option<String>,
    line: Option<u32>,
}

/// Functions of a backtrace that are shown.
const SHOWN_FRAMES: usize = 12;

impl Projection {
    /// One of its builds.
    pub(super) fn build(&self, number: u64) -> Option<&Build> {
        self.builds.iter().find(|build| build.build == number)
    }
}

impl Build {
    /// Its number and version: `build 4 (version 2)`.
    pub(super) fn label(&self) -> String {
        format!("build {} (version {})", self.build, self.version)
    }

    /// Whether it was made to verify another one.
    pub(super) fn verifies(&self) -> bool {
        self.purpose == "verify"
    }

    /// Why it stopped, in words and lines; none if it did not.
    pub(super) fn why_it_stopped(&self, projection: &str) -> Option<String> {
        let error = self.error.as_ref()?;
        let mut words = format!("build {} of `{projection}` (version {}) {}", self.build, self.version, self.state);
        if let Some(position) = error.position {
            let _ = write!(words, " at position {position}");
        }
        let _ = write!(words, ": {error}");
        Some(words)
    }
}

impl BuildError {
    /// The functions that matter: not those of Rust's library, which make a panic of a panic. All, if no others are known.
    fn frames(&self) -> Vec<&Frame> {
        let own = |frame: &&Frame| frame.file.as_ref().is_some_and(|file| !file.starts_with("/rustc/"));
        let frames: Vec<&Frame> = self.backtrace.iter().filter(own).collect();
        if frames.is_empty() { self.backtrace.iter().collect() } else { frames }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let did = match self.kind.as_deref() {
            Some("refused") => "its module could not handle the event",
            Some("trapped") => "its module panicked or trapped",
            Some("timed_out") => "its module took too long",
            Some("out_of_memory") => "its module ran out of memory",
            Some("broke_contract") => "its module broke the contract",
            Some(other) => other,
            None => {
                return match (self.found, self.max) {
                    (Some(found), Some(max)) => {
                        write!(f, "{found} events would be set aside; the limit max_dead_letters is {max}")
                    }
                    _ => f.write_str(&self.message),
                };
            }
        };
        f.write_str(did)?;
        if let (Some(event_type), Some(stream)) = (&self.event_type, &self.stream) {
            write!(f, "\n  event    {event_type} of stream {stream}")?;
        }
        write!(f, "\n  message  {}", self.message.trim_end().replace('\n', "\n           "))?;
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
        if let Some(before) = self.position.and_then(|position| position.checked_sub(1)) {
            write!(f, "\n  see it   gnomon events --after {before} --limit 1")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(error: &str) -> String {
        let build: Build = serde_json::from_str(&format!(
            r#"{{"build":4,"version":2,"state":"halted","checkpoint":16,"head":20,"lag":4,"events_per_second":0.0,
                "created_at":"2026-01-01T00:00:00Z","error":{error}}}"#
        ))
        .unwrap();
        build.why_it_stopped("bank").unwrap()
    }

    #[test]
    fn a_halted_build_names_event_message_and_place() {
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
    fn a_long_backtrace_is_cut_short() {
        let frames = vec![r#"{"function":"f"}"#; SHOWN_FRAMES + 3].join(",");
        let words = stopped(&format!(
            r#"{{"reason":"module","position":1,"kind":"refused","message":"no","backtrace":[{frames}]}}"#
        ));
        assert_eq!(words.matches("\n           f").count(), SHOWN_FRAMES - 1);
        assert!(words.contains("\n           …\n"), "{words}");
    }

    #[test]
    fn what_is_not_the_modules_fault_is_told_as_it_is() {
        let words = stopped(r#"{"reason":"host","message":"the disk is full"}"#);
        assert_eq!(words, "build 4 of `bank` (version 2) halted: the disk is full");
        let words = stopped(r#"{"reason":"too_many_dead_letters","found":4,"max":3}"#);
        assert!(words.ends_with("halted: 4 events would be set aside; the limit max_dead_letters is 3"), "{words}");
    }
}
