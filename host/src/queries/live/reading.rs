//! What a look reads: rows that have changed, and whole queries.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::atomic::Ordering,
};

use sqlx::PgConnection;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{
    changed::statements,
    failure::{again, is_of_postgres, is_of_query, of_query},
    group::{Group, Read},
    hub::{Hub, Unfinished},
    known::{FoundRow, bytes_of},
    limits::{LIVE_STATEMENT_TIMEOUT, MAX_CHANGED_ROWS, MAX_LIVE_BYTES, MAX_LIVE_ROWS_IN_SUM, READ_FOR},
    look::{read_all, read_changed},
};
use crate::{
    builds::{ActiveBuild, ChangesBetween, FollowedBuild, changes_between},
    postgres::{ANSWER_TIMEOUT, within},
    queries::{error::ReadError, read::query_on, request::ReadRequest},
    read_model::{
        Identifier,
        query::{Followed, Query},
    },
};

/// How many lists of changed keys are remembered while the queries of a look are read: many followers have left at the same contents.
const MAX_REMEMBERED_CHANGES: usize = 16;

/// What was read for a query.
struct GroupRead {
    followed: Followed,
    read: Read,
    /// The values of its statement.
    values: usize,
    /// The rows that have changed since followers left who go on: by the contents that these have.
    since: HashMap<Uuid, Vec<FoundRow>>,
}

impl Hub {
    /// Reads the rows that have changed, for all queries that are followed by them.
    pub(super) async fn read_changes(
        &mut self,
        connection: &mut PgConnection,
        active: &ActiveBuild,
        build: &FollowedBuild,
        changes: ChangesBetween,
    ) -> Result<(), Unfinished> {
        for (table, keys) in changes {
            let Some(declared) = active.tables.table(&table) else { continue };
            let indexes: Vec<usize> = (0..self.groups.len())
                .filter(|&at| {
                    let group = &self.groups[at];
                    // Others are read as a whole.
                    let goes_on = !group.is_stale && !group.is_dirty;
                    group.table == table && goes_on && group.followed == Some(Followed::ByChangedRows)
                })
                .collect();
            if keys.len() > MAX_CHANGED_ROWS {
                indexes.iter().for_each(|&at| self.groups[at].is_dirty = true);
                continue;
            }
            let keys: Vec<Vec<String>> = keys.into_iter().collect();
            for indexes in statements(&self.groups, &indexes) {
                let found = {
                    let groups: Vec<&Group> = indexes.iter().map(|&at| &self.groups[at]).collect();
                    let parsed: Result<Vec<Query<'_>>, ReadError> =
                        groups.iter().map(|group| parse(active, &self.projection, group)).collect();
                    match parsed {
                        Ok(parsed) => {
                            let parsed: Vec<&Query<'_>> = parsed.iter().collect();
                            let schema = active.tables.schema().as_str();
                            let reading = read_changed(connection, schema, declared, &keys, &parsed);
                            self.live.count_read();
                            within(LIVE_STATEMENT_TIMEOUT, "rows that are followed", reading).await
                        }
                        Err(_) => Ok(None),
                    }
                };
                let found = match found {
                    Ok(Some(found)) => found,
                    // Each is read alone then. The one that is wrong, or too slow, ends.
                    Ok(None) => {
                        indexes.iter().for_each(|&at| self.groups[at].is_stale = true);
                        return Err(Unfinished::Cut);
                    }
                    Err(error) => {
                        indexes.iter().for_each(|&at| self.groups[at].is_stale = true);
                        return Err(if is_of_query(&error) { Unfinished::Again } else { Unfinished::Later(error) });
                    }
                };
                let is_full = self.live.is_full();
                for (&at, found) in indexes.iter().zip(found) {
                    self.groups[at].found(build, found, &self.live.0.waiting_bytes, is_full);
                }
            }
        }
        Ok(())
    }

    /// Reads the queries that have to be read as a whole, for so long that the followers of others wait no longer for what has changed.
    pub(super) async fn read_due(
        &mut self,
        connection: &mut PgConnection,
        active: &ActiveBuild,
        build: &FollowedBuild,
    ) -> Result<(), Unfinished> {
        let (mut between, until) = (HashMap::new(), Instant::now() + READ_FOR);
        // Each once, beginning with those that the look before has not come to.
        for _ in 0..self.groups.len() {
            if Instant::now() >= until {
                break;
            }
            if self.next >= self.groups.len() {
                self.next = 0;
            }
            let (at, is_full) = (self.next, self.live.is_full());
            let Some(group) = self.groups.get_mut(at) else { break };
            if is_full {
                group.refuse_joiners();
            }
            if !group.is_due(is_full) {
                self.next += 1;
                continue;
            }
            match self.read_group(connection, active, build, at, &mut between).await {
                Ok(GroupRead { followed, read, values, since }) => {
                    let (group, is_full) = (&mut self.groups[at], self.live.is_full());
                    (group.followed, group.values) = (Some(followed), values);
                    group.read(build, &read, |from| since.get(&from).cloned(), &self.live.0.waiting_bytes, is_full);
                    self.next += 1;
                    let rows: usize = self.groups.iter().map(Group::rows).sum();
                    if rows > MAX_LIVE_ROWS_IN_SUM || self.live.0.rows.load(Ordering::Relaxed) > MAX_LIVE_ROWS_IN_SUM {
                        let max = MAX_LIVE_ROWS_IN_SUM;
                        self.end(at, &|| ReadError::TooManyLiveQueries { limit: "max_live_rows_in_sum", max });
                    }
                }
                Err(ReadError::Postgres(error)) if !is_of_postgres(&error) => {
                    return Err(Unfinished::Later(error.into()));
                }
                Err(error) => {
                    // Any other error is one of a statement.
                    let is_parsed = !matches!(error, ReadError::Query(_) | ReadError::NoTable { .. });
                    let error = of_query(error);
                    self.end(at, &|| again(&error));
                    if is_parsed {
                        return Err(Unfinished::Cut);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads a query as a whole; and the rows that have changed since followers left who go on.
    async fn read_group(
        &self,
        connection: &mut PgConnection,
        active: &ActiveBuild,
        build: &FollowedBuild,
        at: usize,
        between: &mut HashMap<Uuid, Option<ChangesBetween>>,
    ) -> Result<GroupRead, ReadError> {
        let group = &self.groups[at];
        let query = parse(active, &self.projection, group)?;
        let schema = active.tables.schema().as_str();
        let followed = query.followed().map_err(ReadError::Query)?;
        let by_rows = followed == Followed::ByChangedRows;
        let reading = read_all(connection, schema, &query, &group.limits);
        self.live.count_read();
        let limit = LIVE_STATEMENT_TIMEOUT.min(group.limits.timeout);
        let (read, values) = timeout(limit, reading).await.unwrap_or(Err(ReadError::TimedOut(limit)))?;
        let since = self.read_since(connection, active, build, (group, &query, by_rows), between).await?;
        Ok(GroupRead { followed, read, values, since })
    }

    /// Reads the rows that have changed since followers left who go on, as they are now. It is not known for those who have nothing here.
    async fn read_since(
        &self,
        connection: &mut PgConnection,
        active: &ActiveBuild,
        build: &FollowedBuild,
        (group, query, by_rows): (&Group, &Query<'_>, bool),
        between: &mut HashMap<Uuid, Option<ChangesBetween>>,
    ) -> Result<HashMap<Uuid, Vec<FoundRow>>, ReadError> {
        let (mut since, mut bytes) = (HashMap::new(), 0);
        let from: BTreeSet<Uuid> = group.joining.iter().filter_map(|joiner| joiner.from).collect();
        for from in from {
            if bytes > MAX_LIVE_BYTES {
                break;
            }
            if between.len() >= MAX_REMEMBERED_CHANGES {
                between.clear();
            }
            let changes = match between.entry(from) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => {
                    let contents = [from, build.contents];
                    let reading = changes_between(connection, build.build, contents, MAX_CHANGED_ROWS);
                    unread.insert(within(ANSWER_TIMEOUT, "the rows that have changed", reading).await?)
                }
            };
            let Some(changes) = changes else { continue };
            let keys: Vec<_> = changes.get(&group.table).into_iter().flatten().cloned().collect();
            if changes.is_empty() || by_rows && keys.is_empty() {
                since.insert(from, Vec::new());
            } else if by_rows && keys.len() <= MAX_CHANGED_ROWS {
                let Some(table) = active.tables.table(&group.table) else { continue };
                let (schema, queries) = (active.tables.schema(), [query]);
                let reading = read_changed(connection, schema.as_str(), table, &keys, &queries);
                let limit = LIVE_STATEMENT_TIMEOUT.min(group.limits.timeout);
                let found = timeout(limit, reading).await.unwrap_or(Err(ReadError::TimedOut(limit)))?;
                let Some(found) = found.and_then(|mut found| found.pop()) else { continue };
                bytes += found.iter().map(bytes_of).sum::<usize>();
                since.insert(from, found);
            }
        }
        Ok(since)
    }

    /// Ends the followers of a query.
    fn end(&mut self, at: usize, error: &dyn Fn() -> ReadError) {
        let group = self.groups.swap_remove(at);
        group.end(&error().to_string(), &self.live.0.waiting_bytes, error);
    }

    /// Ends all followers.
    pub(super) async fn end_all(&mut self, reason: &str) -> Result<(), Unfinished> {
        self.queries.active_builds.forget(&self.projection);
        let why = match self.queries.active(&self.projection).await {
            // It is there again.
            Ok(_) => return Err(Unfinished::Again),
            Err(ReadError::Postgres(error)) => return Err(error.into()),
            Err(error) => error.to_string(),
        };
        for group in std::mem::take(&mut self.groups) {
            group.end(reason, &self.live.0.waiting_bytes, || ReadError::NotReady {
                projection: self.projection.clone(),
                reason: why.clone(),
            });
        }
        (self.active, self.seen) = (None, None);
        Ok(())
    }
}

/// What a group asks of a build.
fn parse<'a>(active: &'a ActiveBuild, projection: &'a Identifier, group: &'a Group) -> Result<Query<'a>, ReadError> {
    query_on(&active.tables, &ReadRequest::new(projection, &group.table, &group.query, &group.limits))
}
