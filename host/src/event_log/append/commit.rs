//! Committing a group of requests.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::{
    at_known_head,
    committed::{CommitError, Committed},
    head::Head,
    known_end::KnownEnd,
    locked::{events_with_ids, lock_head, stream_versions, write_planned},
    newer::{NewerEvent, NewerEvents},
    noted_blocks::NewBlocks,
    plan::AppendPlan,
    request::Group,
    seen_types::{SeenTypes, TypeOfCategory},
    statement::{New, Notified},
    stuck_hosts::StuckHosts,
};
use crate::{
    event_log::{
        event::{EventId, Position, RecordedEvent},
        name::{EventType, StreamName},
        row::trusted_tags,
    },
    metrics,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, connect_beside, within},
};

/// How long the connection may take to show that it lives.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Which event ids are looked up in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Those that clients gave.
    Given,
    /// All: the group may have been committed before, and the answer of Postgres lost.
    All,
}

/// The connection that appends.
#[derive(Debug)]
pub(super) struct AppendConnection {
    connection: PgConnection,
    /// Its process of Postgres.
    pid: i32,
}

impl AppendConnection {
    /// Opens it; each statement waits for a lock for `lock_timeout`.
    pub(super) async fn open(pool: &PgPool, lock_timeout: Duration) -> Result<Self, sqlx::Error> {
        let lock_timeout = format!("{}ms", lock_timeout.as_millis().max(1));
        // No value changes which plan is best, and planning takes as long as writing.
        let settings = [("lock_timeout", lock_timeout.as_str()), ("plan_cache_mode", "force_generic_plan")];
        let mut connection = connect_beside(pool, &settings).await?;
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection);
        let pid = within(ANSWER_TIMEOUT, "a connection to append", pid).await?;
        Ok(Self { connection, pid })
    }

    /// Whether Postgres takes writes on it.
    pub(super) async fn takes_writes(&mut self) -> Result<bool, sqlx::Error> {
        let writes = sqlx::query_scalar("SELECT current_setting('transaction_read_only') = 'off'");
        within(CHECK_TIMEOUT, "the connection to append", writes.fetch_one(&mut self.connection)).await
    }
}

/// How a group is committed.
#[derive(Debug)]
pub(super) struct Committing<'c> {
    pub(super) lookup: Lookup,
    /// Positions in a partition.
    pub(super) partition_events: u64,
    /// How long Postgres may take for all statements before COMMIT, and for COMMIT.
    pub(super) answer_timeout: Duration,
    pub(super) known: &'c mut KnownEnd,
    pub(super) seen: &'c mut SeenTypes,
    pub(super) notified: Notified,
    pub(super) stuck_hosts: &'c mut StuckHosts,
}

/// What a transaction has written, before it is committed.
struct Written<'g> {
    plan: AppendPlan<'g>,
    committed: Committed,
    /// The head that it leaves.
    head: Head,
    /// Types that are new to this host.
    new_types: BTreeSet<TypeOfCategory>,
    /// Blocks that this host does not know to be noted.
    new_blocks: NewBlocks<'g>,
}

/// Commits a group: all requests that are not refused, in one transaction. After an error the connection cannot be used again.
pub(super) async fn commit(
    AppendConnection { connection, pid }: &mut AppendConnection,
    group: &Group,
    how: Committing<'_>,
) -> Result<Committed, CommitError> {
    let Committing { lookup, partition_events, answer_timeout, known, seen, notified, stuck_hosts } = how;
    if lookup == Lookup::Given {
        let commit = stuck_hosts.wait(*pid, at_known_head::commit(connection, group, known, seen, notified));
        // Without an answer it may have been the last statement, which commits.
        let limited = within(answer_timeout, "the statements of an append", async { Ok(commit.await) }).await;
        if let Some(committed) = limited.map_err(CommitError::of_commit)?? {
            metrics::of_host().append.at_known_head();
            return Ok(committed);
        }
    }
    let mut transaction = within(answer_timeout, "BEGIN of an append", connection.begin()).await?;
    let write = write(&mut transaction, group, lookup, partition_events, known, seen, notified);
    let written = within(answer_timeout, "the statements of an append", stuck_hosts.wait(*pid, write)).await?;
    let Written { plan, committed, head, new_types, new_blocks } = written;
    if plan.events.is_empty() {
        within(answer_timeout, "ROLLBACK of an append", transaction.rollback()).await?;
    } else {
        let commit = within(answer_timeout, "COMMIT of an append", transaction.commit());
        commit.await.map_err(CommitError::of_commit)?;
        seen.add(new_types);
    }
    known.advance(&plan, new_blocks, head);
    metrics::of_host().append.at_locked_head();
    Ok(committed)
}

async fn write<'g>(
    transaction: &mut Transaction<'_, Postgres>,
    group: &'g Group,
    lookup: Lookup,
    partition_events: u64,
    known: &mut KnownEnd,
    seen: &SeenTypes,
    notified: Notified,
) -> Result<Written<'g>, sqlx::Error> {
    let began = Instant::now();
    let (head, now) = lock_head(transaction).await?;
    metrics::of_host().append.waited_for_head(began.elapsed());
    known.found(head);
    let appends = group.appends.iter().flat_map(|request| &*request.work.appends).map(|append| append.stream.as_str());
    let imports = group.imports.iter().flat_map(|request| &request.work).map(|(stream, _)| stream.as_str());
    // A statement of its own, begun after the lock was granted: it sees what the last holder of the lock committed. The
    // statement that waits for the lock would read the versions from before the wait.
    let versions = stream_versions(transaction, appends.chain(imports)).await?;
    let recorded = recorded_events(transaction, group, lookup).await?;
    let newer = newer_events(transaction, group, head.position).await?;

    let mut plan = AppendPlan::new(head.position, versions, recorded).with_newer(newer);
    let appended = group.appends.iter().map(|request| plan.append(&request.work)).collect();
    let imported = group.imports.iter().map(|request| plan.import(&request.work)).collect();
    let committed = Committed { appended, imported, head: plan.head };
    if plan.events.is_empty() {
        let (new_types, new_blocks) = (BTreeSet::new(), NewBlocks::default());
        return Ok(Written { plan, committed, head, new_types, new_blocks });
    }
    let (new_types, new_blocks) = (seen.unseen(&plan.events), known.new_blocks(&plan));
    let new = New { types: &new_types, blocks: &new_blocks, notified };
    let head = write_planned(transaction, &plan, head, now, partition_events, new).await?;
    Ok(Written { plan, committed, head, new_types, new_blocks })
}

async fn recorded_events(
    transaction: &mut Transaction<'_, Postgres>,
    group: &Group,
    lookup: Lookup,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let wanted = |id: EventId| match (id, lookup) {
        (EventId::Given(id), _) | (EventId::Made(id), Lookup::All) => Some(id),
        (EventId::Made(_), Lookup::Given) => None,
    };
    let appends = group.appends.iter().flat_map(|request| &*request.work.appends).flat_map(|append| &append.events);
    let imports = group.imports.iter().flat_map(|request| &request.work).map(|(_, event)| event);
    let ids: Vec<Uuid> = appends.chain(imports).filter_map(|event| wanted(event.id)).collect();
    events_with_ids(transaction, ids).await
}

/// What the conditions of the group are checked against; `None` if there are none.
async fn newer_events(
    transaction: &mut Transaction<'_, Postgres>,
    group: &Group,
    head: Position,
) -> Result<Option<NewerEvents>, sqlx::Error> {
    let conditions = group.appends.iter().filter_map(|request| request.work.condition.as_deref()).collect::<Vec<_>>();
    if conditions.is_empty() {
        return Ok(None);
    }
    let searched: Vec<Position> =
        conditions.iter().filter(|condition| condition.stamp.is_some()).map(|condition| condition.searched).collect();
    let mut stamps = HashMap::new();
    if !searched.is_empty() {
        let rows: Vec<(Position, PgTimestamp)> =
            sqlx::query_as("SELECT position, recorded_at FROM gnomon.events WHERE position = ANY($1)")
                .bind(searched)
                .fetch_all(&mut **transaction)
                .await?;
        stamps.extend(rows);
    }
    let mut newer = NewerEvents::none(head, stamps);
    let Some(after) = conditions.iter().filter_map(|condition| newer.needed_after(condition)).min() else {
        return Ok(Some(newer));
    };
    // All of them: there are few, and comparing them with all that the group asks for would hold the lock for longer.
    let rows: Vec<(Position, String, String, Option<Vec<String>>)> =
        sqlx::query_as("SELECT position, stream, type, tags FROM gnomon.events WHERE position > $1 ORDER BY position")
            .bind(after)
            .fetch_all(&mut **transaction)
            .await?;
    for (position, stream, event_type, tags) in rows {
        let (stream, event_type) = (StreamName::trusted(stream), EventType::trusted(event_type));
        newer.push(NewerEvent { position, stream, event_type, tags: trusted_tags(tags) });
    }
    Ok(Some(newer))
}
