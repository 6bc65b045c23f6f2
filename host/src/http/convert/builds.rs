//! Projections and builds, their errors and their history.

use crate::{
    api,
    builds::{
        Activation, BuildError, BuildName, BuildState, BuildSummary, HistoryEntry, PastSummary, PinnedUpcaster,
        ProjectionSummary, RetiredBuilds, VerificationSummary,
    },
    http::problem::{Code, Problem},
    operations::{Ignored, Reading, ReplacedBuild},
    runtime::{FailureKind, Frame, ModuleFailure, ModuleLabel},
    subscriptions::{DeadLetterSummary, OnFailure},
};

/// Whether a request asks for retired builds.
pub(in crate::http) fn retired(query: api::ProjectionsQuery) -> RetiredBuilds {
    if query.retired { RetiredBuilds::Listed } else { RetiredBuilds::Hidden }
}

/// The failure policy that a request names.
pub(in crate::http) fn on_failure(policy: &api::OnFailure) -> Result<OnFailure, Problem> {
    match policy {
        api::OnFailure::Halt => Ok(OnFailure::Halt),
        api::OnFailure::Skip => Ok(OnFailure::Skip),
        api::OnFailure::Park => Ok(OnFailure::Park),
        api::OnFailure::Other(other) => {
            let detail = format!("on_failure: `{other}` is not a failure policy; there are `halt`, `skip` and `park`");
            Err(Problem::new(Code::InvalidBody, detail).with("field", "on_failure"))
        }
    }
}

impl From<api::Activation> for Activation {
    fn from(activation: api::Activation) -> Self {
        match activation {
            api::Activation::Auto => Self::Auto,
            api::Activation::Manual => Self::Manual,
        }
    }
}

impl From<OnFailure> for api::OnFailure {
    fn from(policy: OnFailure) -> Self {
        match policy {
            OnFailure::Halt => Self::Halt,
            OnFailure::Skip => Self::Skip,
            OnFailure::Park => Self::Park,
        }
    }
}

impl From<BuildState> for api::BuildState {
    fn from(state: BuildState) -> Self {
        match state {
            BuildState::Replaying => Self::Replaying,
            BuildState::Live => Self::Live,
            BuildState::Active => Self::Active,
            BuildState::Finished => Self::Finished,
            BuildState::Paused => Self::Paused,
            BuildState::Halted => Self::Halted,
            BuildState::Failed => Self::Failed,
            BuildState::Retired => Self::Retired,
        }
    }
}

impl From<ProjectionSummary> for api::Projection {
    fn from(projection: ProjectionSummary) -> Self {
        Self {
            name: projection.name.into(),
            active_build: projection.active_build.map(u64::from),
            active_version: projection.active_version.map(|version| version.0),
            on_failure: projection.on_failure.into(),
            tables: projection.tables,
            builds: projection.builds.into_iter().map(Into::into).collect(),
            verifications: projection.verifications.into_iter().map(Into::into).collect(),
            reading: None,
        }
    }
}

impl From<VerificationSummary> for api::RunningVerification {
    fn from(VerificationSummary { verified, by }: VerificationSummary) -> Self {
        Self {
            verification: by.build.into(),
            build: verified.into(),
            version: by.version.0,
            state: by.state.into(),
            checkpoint: by.checkpoint.0,
            head: by.head.0,
            lag: by.lag,
            events_per_second: by.events_per_second,
            seconds_left: by.seconds_left,
            error: by.error.map(Into::into),
            waits_for: by.waits_for,
            dead_letters: by.dead_letters,
            upcasters: by.upcasters.into_iter().map(Into::into).collect(),
            created_at: by.created_at,
        }
    }
}

impl From<Reading> for api::Reading {
    fn from(reading: Reading) -> Self {
        let Reading { build, types, all_types, log_types, categories, tags, ignored, more_ignored } = reading;
        let types = types.into_iter().map(|(event_type, handled)| api::HandledType { event_type, handled });
        let ignored = ignored.into_iter().map(|Ignored { found, type_meant, category_meant }| api::IgnoredType {
            event_type: found.event_type,
            category: found.category,
            type_meant,
            category_meant,
        });
        Self {
            build: build.into(),
            all_types,
            log_types,
            types: types.collect(),
            categories,
            tags,
            ignored: ignored.collect(),
            more_ignored: more_ignored as u64,
        }
    }
}

impl From<BuildSummary> for api::Build {
    fn from(build: BuildSummary) -> Self {
        Self {
            build: build.build.into(),
            version: build.version.0,
            state: build.state.into(),
            checkpoint: build.checkpoint.0,
            head: build.head.0,
            lag: build.lag,
            events_per_second: build.events_per_second,
            seconds_left: build.seconds_left,
            error: build.error.map(Into::into),
            waits_for: build.waits_for,
            dead_letters: build.dead_letters,
            out_of_order: build.out_of_order,
            upcasters: build.upcasters.into_iter().map(Into::into).collect(),
            activate_when_live: build.activate_when_live,
            created_at: build.created_at,
            replaced_at: build.replaced_at,
        }
    }
}

impl From<PastSummary> for api::PastBuild {
    fn from(past: PastSummary) -> Self {
        Self {
            past_build: past.past_build.into(),
            projection: past.projection.into(),
            version: past.version.0,
            upcasters: past.upcasters.into_iter().map(Into::into).collect(),
            position: past.position.0,
            state: past.state.into(),
            checkpoint: past.checkpoint.0,
            events_per_second: past.events_per_second,
            seconds_left: past.seconds_left,
            error: past.error.map(Into::into),
            waits_for: past.waits_for,
            dead_letters: past.dead_letters,
            bytes: past.bytes,
            created_at: past.created_at,
            asked_at: past.asked_at,
        }
    }
}

impl From<ReplacedBuild> for api::ReplacedBuild {
    fn from(ReplacedBuild { build, version }: ReplacedBuild) -> Self {
        Self { build: build.into(), version: version.0 }
    }
}

impl From<PinnedUpcaster> for api::PinnedUpcaster {
    fn from(upcaster: PinnedUpcaster) -> Self {
        Self { name: upcaster.name.into(), version: upcaster.version.0 }
    }
}

/// The upcaster that failed. A chain has stored versions only, so its label always has one.
fn failed_upcaster(upcaster: ModuleLabel) -> Option<api::PinnedUpcaster> {
    Some(api::PinnedUpcaster { name: upcaster.name.into(), version: upcaster.version?.0 })
}

impl From<BuildError> for api::BuildError {
    fn from(error: BuildError) -> Self {
        let with_reason = |reason| Self {
            reason,
            position: None,
            upcaster: None,
            kind: None,
            found: None,
            max: None,
            message: None,
            backtrace: Vec::new(),
            stream: None,
            event_type: None,
        };
        match error {
            BuildError::Module { failure, stream, event_type } => {
                let api::ModuleFailure { position, upcaster, kind, message, backtrace } = failure.into();
                Self {
                    position: Some(position),
                    upcaster,
                    kind: Some(kind),
                    message: Some(message),
                    backtrace,
                    stream: Some(stream),
                    event_type: Some(event_type),
                    ..with_reason(api::BuildErrorReason::Module)
                }
            }
            BuildError::TooManyDeadLetters { found, max } => {
                Self { found: Some(found), max: Some(max), ..with_reason(api::BuildErrorReason::TooManyDeadLetters) }
            }
            BuildError::Host { message } => Self { message: Some(message), ..with_reason(api::BuildErrorReason::Host) },
        }
    }
}

impl From<ModuleFailure> for api::ModuleFailure {
    fn from(failure: ModuleFailure) -> Self {
        Self {
            position: failure.position.0,
            upcaster: failure.upcaster.and_then(failed_upcaster),
            kind: failure.kind.into(),
            message: failure.message,
            backtrace: failure.backtrace.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<FailureKind> for api::FailureKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Refused => Self::Refused,
            FailureKind::Trapped => Self::Trapped,
            FailureKind::TimedOut => Self::TimedOut,
            FailureKind::OutOfMemory => Self::OutOfMemory,
            FailureKind::BrokeContract => Self::BrokeContract,
        }
    }
}

impl From<Frame> for api::Frame {
    fn from(Frame { function, file, line }: Frame) -> Self {
        Self { function, file, line }
    }
}

impl From<DeadLetterSummary> for api::DeadLetter {
    fn from(letter: DeadLetterSummary) -> Self {
        Self {
            position: letter.position.0,
            stream: letter.stream,
            event_type: letter.event_type,
            parked: letter.parked,
            error: letter.error.map(Into::into),
            set_aside_at: letter.set_aside_at,
        }
    }
}

impl From<HistoryEntry> for api::HistoryEntry {
    fn from(entry: HistoryEntry) -> Self {
        let HistoryEntry { entry, at, build, change, cause, actor, address, request_id } = entry;
        let (build, verification) = match build {
            Some(BuildName::Build(number)) => (Some(number.into()), None),
            Some(BuildName::Verification(number)) => (None, Some(number.into())),
            // Past builds are not in the history.
            Some(BuildName::Past(_)) => (None, None),
            None => (None, None),
        };
        Self { entry, at, build, verification, change, cause, actor, address, request_id }
    }
}
