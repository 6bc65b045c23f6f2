//! Reactors.

use crate::{
    api,
    http::problem::{Code, Problem},
    operations::DeployedReactor,
    reactors::{ChangeError, DeployError, Deployed, ReactorSummary, Work},
};

impl From<Work> for api::ReactorState {
    fn from(work: Work) -> Self {
        match work {
            Work::Running => Self::Running,
            Work::Paused => Self::Paused,
            Work::Halted => Self::Halted,
            Work::Failed => Self::Failed,
        }
    }
}

impl From<ReactorSummary> for api::Reactor {
    fn from(reactor: ReactorSummary) -> Self {
        let upcaster = |(name, version): (crate::read_model::Identifier, crate::modules::ModuleVersion)| {
            api::PinnedUpcaster { name: name.into(), version: version.0 }
        };
        Self {
            name: reactor.name.into(),
            version: reactor.version.0,
            state: reactor.work.into(),
            on_failure: reactor.on_failure.into(),
            checkpoint: reactor.checkpoint.0,
            head: reactor.head.0,
            lag: reactor.head.0.saturating_sub(reactor.checkpoint.0),
            events_per_second: reactor.events_per_second,
            error: reactor.error.map(Into::into),
            dead_letters: reactor.dead_letters,
            out_of_order: reactor.out_of_order,
            schedules: reactor.schedules,
            next_due_at: reactor.next_due_at,
            began_after: reactor.began_after.0,
            tables: reactor.tables.into_iter().map(|table| table.name).collect(),
            upcasters: reactor.upcasters.into_iter().map(upcaster).collect(),
            created_at: reactor.created_at,
            activated_at: reactor.activated_at,
        }
    }
}

impl From<DeployedReactor> for api::DeployedReactor {
    fn from(DeployedReactor { name, version, deployed }: DeployedReactor) -> Self {
        let (began_after, replaced_version) = match deployed {
            Deployed::Begun { after } => (Some(after.0), None),
            Deployed::Replaced { version } => (None, Some(version.0)),
            Deployed::Unchanged => (None, None),
        };
        Self { name: name.into(), version: version.0, began_after, replaced_version }
    }
}

impl From<DeployError> for Problem {
    fn from(error: DeployError) -> Self {
        let detail = error.to_string();
        match error {
            DeployError::Change(error) => error.into(),
            DeployError::HasBegun(_) => Self::new(Code::ReactorHasBegun, detail),
            DeployError::BeyondHead { from, head, .. } => {
                Self::new(Code::PositionBeyondHead, detail).with("after", from.0.saturating_sub(1)).with("head", head)
            }
            DeployError::Tables { reasons, .. } => {
                let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                Self::new(Code::ReactorRowsKept, detail).with("reasons", reasons)
            }
            DeployError::Create(error) => Self::new(Code::InvalidModule, detail).with("reasons", [error.to_string()]),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::NoReactor(_) => Self::new(Code::ReactorNotFound, detail),
            ChangeError::Refused { work, .. } => {
                Self::new(Code::WrongReactorState, detail).with("state", api::ReactorState::from(work))
            }
            ChangeError::Blocked(blocked) => Self::locked(detail, blocked),
            ChangeError::Postgres(error) => error.into(),
        }
    }
}
