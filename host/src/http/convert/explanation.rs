//! What became of an event.

use super::events::{event, upcasted};
use crate::{
    api,
    builds::BuildName,
    http::problem::Problem,
    operations::{ExplainedBuild, Explanation, Fold, FoldedOver, NotFolded, Upcasted},
    past::{PassedOver, RowChange, Status},
};

/// An explanation.
pub(in crate::http) fn explanation(explanation: Explanation) -> Result<api::Explanation, Problem> {
    let Explanation { event: explained, head, builds, more_builds } = explanation;
    Ok(api::Explanation {
        event: event(explained)?,
        head: head.0,
        builds: builds.into_iter().map(build).collect::<Result<_, _>>()?,
        more_builds: more_builds as u64,
    })
}

fn build(explained: ExplainedBuild) -> Result<api::ExplainedBuild, Problem> {
    let ExplainedBuild {
        projection,
        build,
        version,
        state,
        checkpoint,
        status,
        dead_letter,
        upcasters,
        upcasted,
        fold,
    } = explained;
    let (build, verification) = match build {
        BuildName::Build(number) => (Some(number.into()), None),
        BuildName::Verification(number) => (None, Some(number.into())),
        // Past builds are not explained.
        BuildName::Past(_) => (None, None),
    };
    let (status, passed_over) = event_status(status);
    let (fold, not_folded) = match fold {
        None => (None, None),
        Some(Ok(fold)) => (Some(fold.into()), None),
        Some(Err(reason)) => (None, Some(not_folded(&reason))),
    };
    Ok(api::ExplainedBuild {
        projection: projection.into(),
        build,
        verification,
        version: version.0,
        state: state.into(),
        checkpoint: checkpoint.0,
        status,
        passed_over,
        dead_letter: dead_letter.map(Into::into),
        upcasters: upcasters.into_iter().map(Into::into).collect(),
        upcasted: upcasted.map(upcasted_event).transpose()?,
        fold,
        not_folded,
    })
}

/// Where an event stands, and why it is passed over if it is.
pub(super) fn event_status(status: Status) -> (api::EventStatus, Option<api::PassedOver>) {
    match status {
        Status::PassedOver(reason) => (api::EventStatus::PassedOver, Some(reason.into())),
        Status::Handled => (api::EventStatus::Handled, None),
        Status::ToCome => (api::EventStatus::ToCome, None),
        Status::StoppedAt => (api::EventStatus::StoppedAt, None),
        Status::SetAside => (api::EventStatus::SetAside, None),
        Status::Waits => (api::EventStatus::Waits, None),
    }
}

fn upcasted_event(Upcasted { made, time }: Upcasted) -> Result<api::UpcastedEvent, Problem> {
    let seconds = time.as_secs_f64();
    Ok(match made {
        Ok(events) => {
            let events = events.into_iter().map(upcasted).collect::<Result<_, _>>()?;
            api::UpcastedEvent { events, failure: None, seconds }
        }
        Err(failure) => api::UpcastedEvent { events: Vec::new(), failure: Some(failure.into()), seconds },
    })
}

impl From<PassedOver> for api::PassedOver {
    fn from(reason: PassedOver) -> Self {
        match reason {
            PassedOver::Type => Self::Type,
            PassedOver::Category => Self::Category,
            PassedOver::Tags => Self::Tags,
            PassedOver::Upcasters => Self::Upcasters,
        }
    }
}

impl From<Fold> for api::Fold {
    fn from(Fold { over, time, changes, more_changes }: Fold) -> Self {
        let (over, checkpoint, events) = match over {
            FoldedOver::Stream { events } => (api::FoldedOver::Stream, None, events),
            FoldedOver::Log { events } => (api::FoldedOver::Log, None, events),
            FoldedOver::Rows { checkpoint, events } => (api::FoldedOver::Rows, Some(checkpoint.0), events),
        };
        let (changes, failure) = match changes {
            Ok(changes) => (changes.into_iter().map(Into::into).collect(), None),
            Err(failure) => (Vec::new(), Some(failure.into())),
        };
        Self {
            over,
            checkpoint,
            events_before: events as u64,
            seconds: time.as_secs_f64(),
            changes,
            more_changes: more_changes as u64,
            failure,
        }
    }
}

impl From<RowChange> for api::RowChange {
    fn from(RowChange { table, before, after, .. }: RowChange) -> Self {
        Self { table, before: before.map(api::Row), after: after.map(api::Row) }
    }
}

fn not_folded(reason: &NotFolded) -> String {
    match reason {
        NotFolded::TooMany { max } => format!(
            "its rows depend on more than {max} earlier events, or on more bytes of them than are folded again for an answer; `verify` builds \
             everything again"
        ),
        NotFolded::Earlier(failure) => format!("an event before it cannot be folded: {failure}"),
        NotFolded::NoTime => "the time for it was over; ask for one projection".to_owned(),
        NotFolded::SetAside => "it is set aside; `retry` folds it over the rows of then".to_owned(),
        NotFolded::Host(reason) => reason.clone(),
    }
}
