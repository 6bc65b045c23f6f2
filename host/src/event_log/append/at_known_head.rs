//! Committing a group in one statement, at the head that this host knows.
//!
//! The statement takes the lock of the head, and writes only if the head is still there: then nobody has appended since, and all that
//! was decided without the lock is right. Of streams whose versions are not known it reads them, or checks what their writers expect.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    AppendError, Appended, ExpectedVersion,
    committed::{CommitError, Committed},
    head::Head,
    known_end::KnownEnd,
    plan::AppendPlan,
    request::Group,
    seen_types::SeenTypes,
    statement::{self, Assumed, Events, New, Notified},
};
use crate::event_log::{
    event::{EventId, NewEvent, StreamVersion},
    name::StreamName,
};

/// Commits a group. Returns `None`, and has written nothing, if more has to be known, or one statement is not enough: the head is elsewhere,
/// an event is in the log already, all is refused, there are many events, or an import.
pub(super) async fn commit(
    connection: &mut PgConnection,
    group: &Group,
    known: &mut KnownEnd,
    seen: &mut SeenTypes,
    notified: Notified,
) -> Result<Option<Committed>, CommitError> {
    let Some(head) = known.head().filter(|_| group.imports.is_empty()) else { return Ok(None) };
    let conditions: Vec<_> = group.appends.iter().filter_map(|request| request.work.condition.as_deref()).collect();
    let newer = known.newer(head, &conditions);
    if newer.is_none() && !conditions.is_empty() {
        return Ok(None);
    }
    let Bases { known: versions, guessed, open } = Bases::of(group, known);
    let versions = versions.into_iter().chain(guessed.iter().cloned());
    let mut plan = AppendPlan::new(head.position, versions, []).with_newer(newer);
    let mut appended: Vec<_> = group.appends.iter().map(|request| plan.append(&request.work)).collect();
    // If all is refused, nothing is written, and nothing shows whether the head is still there.
    if plan.events.is_empty() || plan.is_large() || plan.head > head.partitioned_to {
        return Ok(None);
    }
    let (new_types, new_blocks) = (seen.unseen(&plan.events), known.new_blocks(&plan));
    // Those of requests that were refused as well: a repeat is not refused.
    let all = group.appends.iter().flat_map(|request| &*request.work.appends).flat_map(|append| &append.events);
    let assumed = Assumed { head, unused: all.filter_map(given_id).collect(), versions: guessed, open };
    let new = New { types: &new_types, blocks: &new_blocks, notified };
    let written = statement::write(connection, &plan, &assumed, Events::Insert, new).await;
    let Some(written) = written.map_err(CommitError::of_statement)? else { return Ok(None) };
    let bases = assumed.open.into_iter().zip(written.bases).collect();
    plan.add_to_versions(&bases);
    appended.iter_mut().for_each(|result| add_to_versions(result, &bases));
    seen.add(new_types);
    known.advance(&plan, new_blocks, Head { position: plan.head, stamp: written.stamp, ..head });
    Ok(Some(Committed { appended, imported: Vec::new(), head: plan.head }))
}

/// Adds what streams had before the plan to the versions of an answer: that of an append, or of one whose id an event of the plan has.
fn add_to_versions(result: &mut Result<Vec<Appended>, AppendError>, bases: &HashMap<StreamName, StreamVersion>) {
    let add = |stream: &StreamName, versions: &mut [&mut StreamVersion]| {
        let base = bases.get(stream).map_or(0, |base| base.0);
        versions.iter_mut().for_each(|version| version.0 += base);
    };
    match result {
        Ok(appended) => {
            for Appended { stream, first_version, last_version, .. } in appended {
                add(stream, &mut [first_version, last_version]);
            }
        }
        Err(AppendError::IdTaken { stream, version, .. }) => add(stream, &mut [version]),
        Err(_) => {}
    }
}

fn given_id(event: &NewEvent) -> Option<Uuid> {
    match event.id {
        EventId::Given(id) => Some(id),
        EventId::Made(_) => None,
    }
}

/// The versions of the streams of a group before it.
#[derive(Default)]
struct Bases {
    known: Vec<(StreamName, StreamVersion)>,
    /// What their writers expect, which is checked at the head.
    guessed: Vec<(StreamName, StreamVersion)>,
    /// Those of any version, which is read at the head: until then their events count from 1.
    open: Vec<StreamName>,
}

impl Bases {
    fn of(group: &Group, known: &mut KnownEnd) -> Self {
        let (mut bases, mut unknown) = (Self::default(), HashMap::new());
        for append in group.appends.iter().flat_map(|request| &*request.work.appends) {
            match known.version(&append.stream) {
                Some(version) => bases.known.push((append.stream.clone(), version)),
                None => unknown.entry(&append.stream).or_insert_with(Vec::new).push(append.expected),
            }
        }
        for (stream, expected) in unknown {
            // If one of them is wrong, this is decided under the lock.
            let guess = expected.iter().find_map(|expected| match expected {
                ExpectedVersion::Any => None,
                ExpectedVersion::NoStream => Some(StreamVersion(0)),
                ExpectedVersion::Exact(version) => Some(*version),
            });
            match guess {
                Some(version) => bases.guessed.push((stream.clone(), version)),
                None => bases.open.push(stream.clone()),
            }
        }
        bases
    }
}
