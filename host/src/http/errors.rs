//! Errors of the rooms below as problems: only this file maps them to codes.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use gnomon_values::limits::LimitError;

use super::{
    extract::{NoParams, PathParams},
    problem::{Code, Problem},
    sending::too_much_to_send,
    server_error::{internal, unavailable},
};
use crate::{
    api,
    builds::{AlignError, BuildName, ChangeError, PickError, ViewInUse},
    event_log::{AppendError, FollowError, NameError},
    modules::{ChainError, LoadError, UploadError},
    operations::{CompareError, ExplainError, OperateError, UploadModuleError, VerifyError},
    past::PastError,
    personal_data::PersonalDataError,
    postgres::{Blocked, Blocker, gave_up_waiting, is_transient},
    queries::ReadError,
    read_model::IdentifierError,
    runtime::{BatchError, ModuleKind, UpcastError},
};

/// `GET /errors/{code}`: the page that explains an error code.
pub(super) async fn page(NoParams: NoParams, PathParams(code): PathParams<String>) -> Result<Response, Problem> {
    let code = Code::ALL
        .iter()
        .find(|known| known.as_str() == code)
        .ok_or_else(|| Problem::new(Code::NotFound, format!("there is no error code `{code}`")))?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], code.page()).into_response())
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return unavailable(
                Code::DatabaseUnavailable,
                "no connection to Postgres was free in time; /health/ready says whether Postgres gives this host as many as it needs",
                &error,
            );
        }
        if gave_up_waiting(&error) {
            let detail = "another session holds a lock in Postgres that was not free in time; `SELECT pid, pg_blocking_pids(pid), query FROM \
                          pg_stat_activity` says who waits for whom while it lasts";
            return unavailable(Code::Locked, detail, &error);
        }
        if let Some(error) = PersonalDataError::within(&error) {
            return unavailable(Code::KeysUnavailable, "personal data of the events cannot be decrypted now", error);
        }
        // The pool is closed while the host stops.
        if is_transient(&error) || matches!(error, sqlx::Error::PoolClosed) {
            unavailable(Code::DatabaseUnavailable, "Postgres does not answer", &error)
        } else {
            internal(&error)
        }
    }
}

impl From<LimitError> for Problem {
    fn from(error: LimitError) -> Self {
        Self::new(Code::LimitExceeded, error.to_string())
            .with("limit", error.limit)
            .with("found", error.found)
            .with("max", error.max)
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let detail = error.to_string();
        match error {
            AppendError::Conflict { stream, current, .. } => Self::new(Code::WrongExpectedVersion, detail)
                .with("stream", stream.as_str())
                .with("current_version", current),
            AppendError::ConditionFailed { position, stream, event_type } => {
                Self::new(Code::AppendConditionFailed, detail)
                    .with("position", position)
                    .with("stream", stream.as_str())
                    // `type` is the name of the page that explains the error.
                    .with("event_type", event_type.as_str())
            }
            AppendError::ConditionBeyondHead { after, head } => {
                Self::new(Code::PositionBeyondHead, detail).with("after", after).with("head", head)
            }
            AppendError::IdTaken { id, stream, version, position, line, .. } => {
                let problem = Self::new(Code::EventIdTaken, detail)
                    .with("id", id)
                    .with("stream", stream.as_str())
                    .with("version", version)
                    .with("position", position);
                match line {
                    Some(line) => problem.with("line", line),
                    None => problem,
                }
            }
            AppendError::LinesDiffer { id, first_line, line, .. } => Self::new(Code::DuplicateEventId, detail)
                .with("id", id)
                .with("first_line", first_line)
                .with("line", line),
            AppendError::PartlyRepeated { stream } => {
                Self::new(Code::PartlyRepeated, detail).with("stream", stream.as_str())
            }
            AppendError::IdTwice(id) => Self::new(Code::DuplicateEventId, detail).with("id", id),
            AppendError::StreamTwice(stream) => {
                Self::new(Code::DuplicateStream, detail).with("stream", stream.as_str())
            }
            AppendError::Reserved(stream) => Self::new(Code::ReservedStream, detail).with("stream", stream.as_str()),
            AppendError::Empty => Self::new(Code::EmptyAppend, detail),
            AppendError::Limit(error) => error.into(),
            AppendError::Time { .. } => Self::new(Code::InvalidBody, detail),
            AppendError::PersonalData { .. } => Self::new(Code::InvalidPersonalData, detail),
            AppendError::NoKeys(error) => unavailable(
                Code::KeysUnavailable,
                "the personal data of the events cannot be encrypted now, so they were not appended; the same request can be sent again",
                &error,
            ),
            AppendError::Refused(_) => internal(&detail),
            // The log itself looks up again what it can.
            AppendError::ConditionTimedOut | AppendError::LookUpAgain => {
                unavailable(Code::LogUnavailable, &detail, &detail)
            }
            AppendError::Unavailable(error) => unavailable(
                Code::LogUnavailable,
                "the log did not answer in time; the events were not appended, so the same request can be sent again",
                &error,
            ),
            AppendError::Locked(holders) => unavailable(
                Code::LogUnavailable,
                &format!(
                    "another session of Postgres holds the lock of the log, {holders}; the events were not appended, so the same request can \
                     be sent again"
                ),
                &detail,
            ),
            AppendError::Unknown(error) => unavailable(
                Code::AppendUnknown,
                "the connection to Postgres broke while the events were being committed; whether they were appended is not known. With \
                 event ids it is safe to send them again",
                &error,
            ),
        }
    }
}

impl From<FollowError> for Problem {
    fn from(error: FollowError) -> Self {
        let detail = error.to_string();
        match error {
            FollowError::Postgres(error) => error.into(),
            FollowError::Restored(head) => Self::new(Code::PositionBeyondHead, detail).with("head", head),
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::new(Code::InvalidPath, error.to_string())
    }
}

impl From<IdentifierError> for Problem {
    fn from(error: IdentifierError) -> Self {
        Self::new(Code::InvalidPath, error.to_string())
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let detail = error.to_string();
        match error {
            UploadError::Invalid(invalid) => Self::new(Code::InvalidModule, detail).with("reasons", invalid.reasons),
            UploadError::OtherKind { existing, .. } => {
                Self::new(Code::ModuleKindChanged, detail).with("kind", api::ModuleKind::from(existing))
            }
            UploadError::ViewTaken { view, other, .. } => {
                Self::new(Code::ViewNameTaken, detail).with("view", view).with("projection", other)
            }
            UploadError::Busy { max } => {
                unavailable(Code::ModulesBusy, &detail, &detail).with("limit", "max_uploads").with("max", max)
            }
            UploadError::Host(_) => unavailable(Code::ModulesBusy, &detail, &detail),
            UploadError::Postgres(error) => error.into(),
            UploadError::Interrupted => internal(&error),
        }
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        let detail = error.to_string();
        match error {
            LoadError::Missing { .. } => Self::new(Code::ModuleNotFound, detail),
            LoadError::Invalid { error, .. } => Self::new(Code::InvalidModule, detail).with("reasons", error.reasons),
            LoadError::Host { .. } => unavailable(Code::ModulesBusy, &detail, &detail),
            LoadError::OtherKind { wanted: ModuleKind::Projection, .. } => Self::new(Code::ProjectionNotFound, detail),
            LoadError::OtherKind { wanted: ModuleKind::Upcaster | ModuleKind::Reactor, .. } => {
                Self::new(Code::ModuleNotFound, detail)
            }
            LoadError::Postgres { error, .. } => error.into(),
            LoadError::Interrupted => internal(&error),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::NoProjection(_) => Self::new(Code::ProjectionNotFound, detail),
            ChangeError::Refused { build, .. } => Self::new(Code::WrongBuildState, detail)
                .with_build(build.name())
                .with("state", api::BuildState::from(build.word())),
            ChangeError::ViewInUse(ViewInUse { view, dependents }) => {
                Self::new(Code::ViewInUse, detail).with("view", view).with("dependents", dependents)
            }
            ChangeError::Blocked(blocked) => Self::locked(detail, blocked),
            ChangeError::Postgres(error) => error.into(),
        }
    }
}

impl Problem {
    /// A lock that somebody else holds. What waits for it may pass by itself.
    pub(super) fn locked(detail: String, blocked: Blocked) -> Self {
        let blockers: Vec<_> = blocked.by.into_iter().map(api::Blocker::from).collect();
        let retry_after = HeaderValue::from_static("1");
        Self::new(Code::Locked, detail).with("blockers", blockers).with_header(header::RETRY_AFTER, retry_after)
    }
}

impl From<Blocker> for api::Blocker {
    fn from(Blocker { pid, user, application, since, query, .. }: Blocker) -> Self {
        Self { pid, user, application, since, query }
    }
}

impl Problem {
    /// Adds the number of a build, or of a verification.
    fn with_build(self, name: BuildName) -> Self {
        match name {
            BuildName::Build(number) => self.with("build", number),
            BuildName::Verification(number) => self.with("verification", number),
            BuildName::Past(number) => self.with("past_build", number),
        }
    }
}

impl From<PickError> for Problem {
    fn from(error: PickError) -> Self {
        let detail = error.to_string();
        match error {
            PickError::NoBuild { builds, .. } => Self::new(Code::BuildNotFound, detail).with("builds", builds),
            PickError::NoVerification { .. } => Self::new(Code::VerificationNotFound, detail),
            PickError::NoPastBuild { .. } => Self::new(Code::PastBuildNotFound, detail),
            PickError::NoneFits { .. } => Self::new(Code::NoSuitableBuild, detail),
        }
    }
}

impl From<OperateError> for Problem {
    fn from(error: OperateError) -> Self {
        let detail = error.to_string();
        match error {
            OperateError::Change(error) => error.into(),
            OperateError::Pick(error) => error.into(),
            OperateError::Behind { build, checkpoint, seen, .. } => Self::new(Code::BuildBehind, detail)
                .with("build", build)
                .with("checkpoint", checkpoint)
                .with("seen", seen),
            OperateError::Overtaken { build, letters, .. } => {
                Self::new(Code::RetryOutOfOrder, detail).with("build", build).with("dead_letters", letters)
            }
            OperateError::TooManyBuilds(error) => Self::new(Code::TooManyBuilds, detail)
                .with("limit", error.limit())
                .with("found", error.found)
                .with("max", error.max),
            OperateError::NothingActive(_) => Self::new(Code::ProjectionNotReady, detail),
            OperateError::TooManyPastBuilds(error) => Self::new(Code::TooManyPastBuilds, detail)
                .with("limit", error.limit)
                .with("found", error.found)
                .with("max", error.max),
            OperateError::PastBuildsChange(_) => Self::new(Code::TooManyPastBuilds, detail),
            OperateError::NothingToDeploy | OperateError::DeployedTwice(_) => Self::new(Code::InvalidBody, detail),
            OperateError::Reactor(error) => error.into(),
            OperateError::ReactorOvertaken { letters, .. } => {
                Self::new(Code::RetryOutOfOrder, detail).with("dead_letters", letters)
            }
            OperateError::NoUpcaster(_) => Self::new(Code::UpcasterNotFound, detail),
            OperateError::Upcasters(error) => Self::new(Code::UpcasterConflict, detail).with("reasons", error.reasons),
            OperateError::Tables(error) => Self::new(Code::InvalidModule, detail).with("reasons", [error.to_string()]),
            OperateError::Load(error) => error.into(),
        }
    }
}

impl From<UploadModuleError> for Problem {
    fn from(error: UploadModuleError) -> Self {
        match error {
            UploadModuleError::Upload(error) => error.into(),
            UploadModuleError::BeginsNowhere { .. } => Self::new(Code::InvalidQuery, error.to_string()),
            UploadModuleError::Operate(error) => error.into(),
        }
    }
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Operate(error) => error.into(),
            VerifyError::Compare(error) => error.into(),
        }
    }
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        let detail = error.to_string();
        match error {
            ExplainError::NoEvent { position, head } => {
                Self::new(Code::NotFound, detail).with("position", position).with("head", head)
            }
            ExplainError::NoProjection(_) => Self::new(Code::ProjectionNotFound, detail),
            ExplainError::Busy => unavailable(Code::ModulesBusy, &detail, &detail),
            ExplainError::Interrupted => internal(&error),
            ExplainError::Postgres(error) => error.into(),
        }
    }
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Self {
        let detail = error.to_string();
        match error {
            PastError::NoProjection(_) => Self::new(Code::ProjectionNotFound, detail),
            PastError::NoStream(_) => Self::new(Code::StreamNotFound, detail),
            PastError::Beyond { stream, asked, newest } => Self::new(Code::PositionBeyondHead, detail)
                .with("stream", stream.as_str())
                .with("after", asked)
                .with("version", newest),
            PastError::NotPassed(_) => Self::new(Code::InvalidQuery, detail),
            PastError::NotPartitioned { .. } => Self::new(Code::NotPartitioned, detail),
            PastError::Stopped { stream, version, failure, .. } => Self::new(Code::FoldFailed, detail)
                .with("stream", stream.as_str())
                .with("version", version)
                .with("failure", api::ModuleFailure::from(*failure)),
            PastError::TimedOut { reached, .. } => {
                Self::new(Code::PastTimedOut, detail).with("limit", "past_timeout").with("reached", reached)
            }
            PastError::TooLarge { bytes, max, .. } => Self::new(Code::LimitExceeded, detail)
                .with("limit", "max_fold_bytes")
                .with("found", bytes)
                .with("max", max),
            PastError::AnswerTooLarge { max, .. } => {
                Self::new(Code::AnswerTooLarge, detail).with("limit", "max_answer_bytes").with("max", max)
            }
            PastError::TooManySetAside { max, .. } => Self::new(Code::LimitExceeded, detail).with("max", max),
            PastError::NoTables(_) => Self::new(Code::BuildRetired, detail),
            PastError::Busy | PastError::Host(_) => unavailable(Code::ModulesBusy, &detail, &detail),
            PastError::Restored(_) => unavailable(Code::DatabaseUnavailable, &detail, &detail),
            PastError::Interrupted => internal(&error),
            PastError::Load(error) => error.into(),
            PastError::Chain(error) => error.into(),
            PastError::Postgres(error) => error.into(),
        }
    }
}

impl From<ChainError> for Problem {
    fn from(error: ChainError) -> Self {
        let detail = error.to_string();
        match error {
            ChainError::Load(error) => error.into(),
            ChainError::Conflict(error) => Self::new(Code::UpcasterConflict, detail).with("reasons", error.reasons),
            ChainError::Upcast(UpcastError { upcaster, error: BatchError::Module(failure) }) => {
                Self::new(Code::UpcastFailed, detail)
                    .with("upcaster", upcaster.name)
                    .with("version", upcaster.version)
                    .with("failure", api::ModuleFailure::from(*failure))
            }
            ChainError::Busy
            | ChainError::Upcast(UpcastError { error: BatchError::Memory(_) | BatchError::Instance(_), .. }) => {
                unavailable(Code::ModulesBusy, &detail, &detail)
            }
            ChainError::Upcast(_) | ChainError::Interrupted => internal(&error),
            ChainError::Postgres(error) => error.into(),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let detail = error.to_string();
        match error {
            ReadError::NoProjection(_) => Self::new(Code::ProjectionNotFound, detail),
            ReadError::NoTable { tables, .. } => Self::new(Code::TableNotFound, detail).with("tables", tables),
            ReadError::NotReady { .. } | ReadError::Missing { .. } | ReadError::PastGone { .. } => {
                Self::new(Code::ProjectionNotReady, detail)
            }
            ReadError::Behind { checkpoint, .. } => {
                Self::new(Code::ReadModelBehind, detail).with("position", checkpoint)
            }
            ReadError::PastStopped { past_build, checkpoint, error, .. } => Self::new(Code::PastBuildStopped, detail)
                .with("past_build", past_build)
                .with("checkpoint", checkpoint)
                .with("error", error.map(|error| api::BuildError::from(*error))),
            ReadError::BeyondHead { wanted, head } | ReadError::NotYet { wanted, head } => {
                Self::new(Code::PositionBeyondHead, detail).with("after", wanted).with("head", head)
            }
            ReadError::TimedOut(_) | ReadError::ExportTimedOut(_) | ReadError::Cancelled => {
                Self::new(Code::QueryTimeout, detail)
            }
            ReadError::TooLarge { max, .. } => {
                Self::new(Code::AnswerTooLarge, detail).with("limit", "max_answer_bytes").with("max", max)
            }
            ReadError::TooLargeToFollow { limit, max } => {
                Self::new(Code::AnswerTooLarge, detail).with("limit", limit).with("max", max)
            }
            ReadError::TooManyLiveQueries { limit, max } => {
                Self::new(Code::Overloaded, detail).with("limit", limit).with("max", max)
            }
            ReadError::Followed(_) => Self::new(Code::ProjectionNotReady, detail),
            ReadError::TooMany(_) => Self::new(Code::TooManyQueries, detail),
            ReadError::TooMuchToSend => too_much_to_send(),
            ReadError::Encode(_) | ReadError::ExportBroke(_) => internal(&error),
            ReadError::Query(error) => error.into(),
            ReadError::Postgres(error) => error.into(),
        }
    }
}

impl From<CompareError> for Problem {
    fn from(error: CompareError) -> Self {
        let detail = error.to_string();
        match error {
            CompareError::NoProjection(_) => Self::new(Code::ProjectionNotFound, detail),
            CompareError::Pick(error) => error.into(),
            CompareError::NoActiveBuild(_) | CompareError::NoOtherBuild { .. } | CompareError::OneBuild(_) => {
                Self::new(Code::NothingToCompare, detail)
            }
            CompareError::Dropped(_) => Self::new(Code::BuildRetired, detail),
            CompareError::Align(error) => error.into(),
            CompareError::Blocked(blocked) => Self::locked(detail, blocked),
            CompareError::Postgres(error) => error.into(),
        }
    }
}

impl From<AlignError> for Problem {
    fn from(error: AlignError) -> Self {
        let detail = error.to_string();
        match error {
            AlignError::Retired(build) => Self::new(Code::BuildRetired, detail).with_build(build),
            AlignError::Replaying { build, checkpoint } => {
                Self::new(Code::BuildReplaying, detail).with_build(build).with("checkpoint", checkpoint)
            }
            AlignError::Passed { behind, checkpoint, .. } => {
                Self::new(Code::BuildStopped, detail).with_build(behind).with("checkpoint", checkpoint)
            }
            AlignError::TimedOut { left_checkpoint, right_checkpoint, .. } => Self::new(Code::BarrierTimedOut, detail)
                .with("left_checkpoint", left_checkpoint)
                .with("right_checkpoint", right_checkpoint),
            AlignError::Postgres(error) => error.into(),
        }
    }
}
