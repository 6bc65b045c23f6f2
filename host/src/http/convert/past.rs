//! The past of streams.

use super::{events::event, explanation::event_status};
use crate::{
    api,
    builds::BuildName,
    event_log::StreamName,
    http::problem::Problem,
    past::{
        HistoryPage, Logic, PastEvent, RowChange, RowDifference, SnapshotsVerification, StreamState,
        StreamVerification, TableRows, Told,
    },
};

impl From<Logic> for api::Logic {
    fn from(Logic { projection, version, upcasters, build }: Logic) -> Self {
        let build = build.and_then(|build| match build.name() {
            BuildName::Build(number) => Some(number.into()),
            BuildName::Verification(_) | BuildName::Past(_) => None,
        });
        let upcasters = upcasters.into_iter().map(Into::into).collect();
        Self { projection: projection.into(), version: version.0, upcasters, build }
    }
}

/// The state of a stream.
pub(in crate::http) fn stream_state(stream: StreamName, state: StreamState) -> api::StreamState {
    let StreamState { told, version, event, left_out, tables, bytes: _ } = state;
    let Told { logic, newest, began_at, read } = told;
    let rows = |TableRows { table, rows }| (String::from(table), rows.into_iter().map(api::Row).collect());
    api::StreamState {
        stream: stream.into(),
        version: version.0,
        position: event.map(|(position, _)| position.0),
        recorded_at: event.map(|(_, recorded_at)| recorded_at),
        newest_version: newest.0,
        logic: logic.into(),
        events_left_out: left_out,
        snapshot: began_at.0,
        events_folded: read,
        tables: tables.into_iter().map(rows).collect(),
    }
}

/// A page of the history of a stream.
pub(in crate::http) fn stream_history(stream: StreamName, page: HistoryPage) -> Result<api::StreamHistory, Problem> {
    let HistoryPage { told: Told { logic, newest, began_at, read }, events, next } = page;
    Ok(api::StreamHistory {
        stream: stream.into(),
        newest_version: newest.0,
        logic: logic.into(),
        snapshot: began_at.0,
        events_folded: read,
        events: events.into_iter().map(past_event).collect::<Result<_, _>>()?,
        next: next.map(|next| next.0),
    })
}

fn past_event(past: PastEvent) -> Result<api::HistoryEvent, Problem> {
    let PastEvent { event: recorded, status, failure, changes, more_changes } = past;
    let (status, passed_over) = event_status(status);
    Ok(api::HistoryEvent {
        event: event(recorded)?,
        status,
        passed_over,
        failure: failure.map(|failure| (*failure).into()),
        changes: changes.into_iter().map(Into::into).collect(),
        more_changes: more_changes as u64,
    })
}

impl From<RowChange> for api::RowEffect {
    fn from(RowChange { table, before, after, columns }: RowChange) -> Self {
        Self { table, before: before.map(api::Row), after: after.map(api::Row), columns }
    }
}

/// The result of checking a stream.
pub(in crate::http) fn stream_verification(
    stream: StreamName,
    verification: StreamVerification,
) -> api::StreamVerification {
    let StreamVerification { told: Told { logic, newest, began_at: _, read }, snapshots, wrong_snapshots, rows } =
        verification;
    let checkpoint = rows.as_ref().map(|rows| rows.checkpoint.0);
    let rows = rows.unwrap_or_default();
    let difference = |RowDifference { table, expected, found }| api::RowDifference {
        table: String::from(table),
        expected: expected.map(api::Row),
        found: found.map(api::Row),
    };
    api::StreamVerification {
        stream: stream.into(),
        newest_version: newest.0,
        logic: logic.into(),
        identical: wrong_snapshots.is_empty() && rows.different == 0,
        events_folded: read,
        snapshots,
        wrong_snapshots: wrong_snapshots.into_iter().map(|version| version.0).collect(),
        checkpoint,
        rows: rows.compared,
        different_rows: rows.different,
        differences: rows.differences.into_iter().map(difference).collect(),
    }
}

impl From<SnapshotsVerification> for api::SnapshotsVerification {
    fn from(SnapshotsVerification { logic, streams, snapshots, wrong, is_all }: SnapshotsVerification) -> Self {
        let wrong = wrong.into_iter().map(|(stream, version)| {
            let stream = stream.into();
            api::WrongSnapshot { stream, version: version.0 }
        });
        Self { logic: logic.into(), streams, snapshots, wrong_snapshots: wrong.collect(), all: is_all }
    }
}
