//! Appending in a transaction of somebody else, so that the events are committed together with what else it writes.
//!
//! The lock of the head is the last that such a transaction takes: from then until it ends, no host appends. Everything is decided as for other
//! appends, under the lock, over what is committed. After the commit the connection that appends is told ([`elsewhere`](super::elsewhere)). If it appends before
//! it has heard, it finds that the head has moved, as if another host had appended.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgConnection;

use super::{
    Append, AppendError, Appended,
    elsewhere::{AppendedElsewhere, Elsewhere},
    locked::{events_with_ids, lock_head, stream_versions, write_planned},
    noted_blocks::NotedBlocks,
    plan::AppendPlan,
    request::Appends,
    seen_types::SeenTypes,
    statement::{New, Notified},
};
use crate::{
    event_log::{
        event::{EventId, Position, RecordedEvent},
        head::KnownHead,
    },
    metrics::{self, EventCounter},
    postgres::within,
};

/// Appends of a transaction that is not committed yet.
#[derive(Debug)]
#[must_use = "once the transaction is committed, those who follow the log on this host have to be told"]
pub(crate) struct Uncommitted {
    /// What became of each append, in their order.
    pub(crate) results: Vec<Result<Appended, AppendError>>,
    /// The position of the newest event, these included.
    head: Position,
    events: Vec<RecordedEvent>,
    known: KnownHead,
    /// What is told to the connection that appends; `None` if nothing was written.
    told: Option<Elsewhere>,
    elsewhere: AppendedElsewhere,
}

/// Why nothing can be appended in a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendWithinError {
    /// What was to be appended in place of a refused append is refused as well.
    #[error("the event that tells of a refused append is refused as well: {0}")]
    Refused(AppendError),
    /// What is to be appended in place of a refused append cannot be made.
    #[error("a refused append cannot be told of: {0}")]
    NotTold(String),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// How events are appended.
pub(in crate::event_log) struct How {
    /// Why an append is refused before it is decided, for each.
    pub(in crate::event_log) refused: Vec<Option<AppendError>>,
    pub(in crate::event_log) known: KnownHead,
    pub(in crate::event_log) elsewhere: AppendedElsewhere,
    /// Whether other hosts are told with the commit.
    pub(in crate::event_log) tells_others: bool,
    pub(in crate::event_log) partition_events: u64,
    pub(in crate::event_log) answer_timeout: Duration,
}

impl Uncommitted {
    /// The transaction is committed: tells those who follow the log on this host.
    pub(crate) fn committed(self) {
        let Self { results: _, head, events, known, told, elsewhere } = self;
        let types = events.iter().map(|event| event.event_type.as_str());
        EventCounter::default().committed(&metrics::of_host().append, types);
        known.recent().add(events.into_iter());
        // Before the head is raised: who hears of that may append next.
        told.into_iter().for_each(|told| elsewhere.tell(told));
        known.raise(head);
    }
}

/// Appends, one after the other, in the transaction that the connection is in. In place of an append that is refused, what `instead` makes of its
/// index and the refusal is appended.
pub(in crate::event_log) async fn append(
    connection: &mut PgConnection,
    appends: Vec<Append>,
    instead: impl Fn(usize, &AppendError) -> Result<Append, String>,
    how: How,
) -> Result<Uncommitted, AppendWithinError> {
    let How { refused, known, elsewhere, tells_others, partition_events, answer_timeout } = how;
    let notified = if tells_others { Notified::OtherHosts } else { Notified::Nobody };
    let began = Instant::now();
    let (head, now) = within(answer_timeout, "the lock of the log", lock_head(connection)).await?;
    metrics::of_host().append.waited_for_head(began.elapsed());

    let requests: Vec<Appends> = appends.into_iter().map(request).collect();
    let (mut plan, mut results) =
        within(answer_timeout, DECIDING, decide(connection, head.position, &requests, &refused)).await?;
    let told: Vec<Appends>;
    if results.iter().any(Result::is_err) {
        let tell = |(index, asked): (usize, &Appends)| match &results[index] {
            Ok(_) => Ok(Appends { appends: Arc::clone(&asked.appends), condition: None }),
            Err(error) => instead(index, error).map(request).map_err(AppendWithinError::NotTold),
        };
        told = requests.iter().enumerate().map(tell).collect::<Result<_, _>>()?;
        let again = within(answer_timeout, DECIDING, decide(connection, head.position, &told, &[])).await?;
        plan = again.0;
        for (result, again) in results.iter_mut().zip(again.1) {
            let appended = again.map_err(AppendWithinError::Refused)?;
            if let Ok(result) = result {
                *result = appended;
            }
        }
    }
    let (mut events, mut told) = (Vec::new(), None);
    if !plan.events.is_empty() {
        // What this host has seen committed belongs to its connection that appends; all of it is written again, which changes nothing.
        let (new_types, new_blocks) =
            (SeenTypes::default().unseen(&plan.events), NotedBlocks::default().unnoted(&plan.events));
        let new = New { types: &new_types, blocks: &new_blocks, notified };
        let write = write_planned(connection, &plan, head, now, partition_events, new);
        let written = within(answer_timeout, "the events of an append", write).await?;
        events.extend(plan.events.iter().map(|event| event.recorded(written.stamp)));
        let versions = plan.changed_streams().map(|(stream, version, _)| (stream.clone(), version)).collect();
        told = Some(Elsewhere { before: head, after: written, versions });
    }
    Ok(Uncommitted { results, head: plan.head, events, known, told, elsewhere })
}

const DECIDING: &str = "what an append needs to know of the log";

fn request(append: Append) -> Appends {
    Appends { appends: Arc::from([append]), condition: None }
}

/// Decides requests under the lock of the head. Some may be refused already.
async fn decide<'r>(
    connection: &mut PgConnection,
    head: Position,
    requests: &'r [Appends],
    refused: &[Option<AppendError>],
) -> Result<(AppendPlan<'r>, Vec<Result<Appended, AppendError>>), sqlx::Error> {
    let appends = || requests.iter().flat_map(|request| &*request.appends);
    // Statements of their own, begun after the lock was granted: they see what the last holder of the lock committed.
    let versions = stream_versions(connection, appends().map(|append| append.stream.as_str())).await?;
    let given = appends().flat_map(|append| &append.events).filter_map(|event| match event.id {
        EventId::Given(id) => Some(id),
        EventId::Made(_) => None,
    });
    let recorded = events_with_ids(connection, given.collect()).await?;
    let mut plan = AppendPlan::new(head, versions, recorded);
    let decide = |(index, request)| match refused.get(index) {
        Some(Some(refused)) => Err(AppendError::clone(refused)),
        _ => Ok(plan.append(request)?.swap_remove(0)),
    };
    let results = requests.iter().enumerate().map(decide).collect();
    Ok((plan, results))
}
