//! Which rows the commits of a build change, noted while somebody follows them.
//!
//! A note leads from the contents that the build had before a commit to those after it. Contents are never given twice. So whoever knows rows of
//! some contents, and finds notes that lead from these to the contents of now, knows all rows that may have changed since, whatever happened in
//! between: commits that noted nothing, old notes that were removed, another host, a restored database.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use sqlx::{PgConnection, PgPool, Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{build::BuildId, number::BuildNumber};
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, sql_row, within},
    read_model::{ChangedKeys, Identifier, WriteSet},
};

/// The most commits of a build that are noted.
pub const MAX_NOTED_COMMITS: usize = 2_048;
/// After so many noted commits a worker removes those beyond the bound.
const REMOVED_AFTER: u64 = 64;
/// How long notes are kept, at most.
pub const NOTES_KEPT: Duration = Duration::from_secs(60 * 60);
/// For how long a build counts as followed once a host has said so. A host with followers says so again before.
const FOLLOWED_FOR: Duration = Duration::from_secs(60);
/// How long the row of a subscription is waited for, to say that its build is followed. Commits hold it for milliseconds.
const LOCK_TIMEOUT: &str = "1s";

/// What a worker knows of those who follow its build: what the last commit found.
#[derive(Debug, Default)]
pub(crate) struct Following {
    is_followed: AtomicBool,
    noted: AtomicU64,
}

impl Following {
    /// What a commit found.
    pub(crate) fn found(&self, is_followed: bool) {
        self.is_followed.store(is_followed, Ordering::Relaxed);
    }

    /// The note of a commit that makes these changes. `None` if nobody follows, as far as is known, or they are too many.
    pub(crate) fn note(&self, writes: &WriteSet) -> Option<Note> {
        if !self.is_followed.load(Ordering::Relaxed) || writes.is_empty() {
            return None;
        }
        let keys = serde_json::to_string(&ChangedKeys::of(writes)?).ok()?;
        let removes = self.noted.fetch_add(1, Ordering::Relaxed).is_multiple_of(REMOVED_AFTER);
        Some(Note { keys, removes })
    }
}

/// The note of a commit.
#[derive(Debug)]
pub(crate) struct Note {
    keys: String,
    /// Whether old notes are removed as well.
    removes: bool,
}

impl Note {
    /// The note as a part of the statement that commits: it is written if the part `moved` has a row, which is that of the subscription after the
    /// commit. It has one parameter.
    pub(crate) fn part(&self, parameter: usize) -> String {
        let removed = match self.removes {
            true => format!(", forgotten AS ({})", remove("(SELECT subscription FROM moved)")),
            false => String::new(),
        };
        format!(", noted AS ({}){removed}", insert("moved", parameter))
    }

    /// Binds the parameter of [`Self::part`].
    pub(crate) fn bind<'q>(self, statement: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        statement.bind(self.keys)
    }

    /// Writes the note in the transaction of the commit, which has moved the checkpoint.
    pub(crate) async fn write(self, connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
        let text = format!("{} WHERE subscription = $1", insert("gnomon.subscriptions", 2));
        sqlx::query(&text).bind(build).bind(self.keys).execute(&mut *connection).await?;
        if self.removes {
            sqlx::query(&remove("$1")).bind(build).execute(connection).await?;
        }
        Ok(())
    }
}

fn insert(subscription: &str, parameter: usize) -> String {
    // Before the first change of rows there is nothing that a note could lead from.
    format!(
        "INSERT INTO gnomon.row_changes (build, position, contents_before, contents, keys)
         SELECT subscription, checkpoint, coalesce(contents_before, contents), contents, ${parameter}::text FROM {subscription}"
    )
}

fn remove(build: &str) -> String {
    format!(
        "DELETE FROM gnomon.row_changes WHERE build = {build} AND change <=
             (SELECT change FROM gnomon.row_changes WHERE build = {build} ORDER BY change DESC
              OFFSET {MAX_NOTED_COMMITS} LIMIT 1)"
    )
}

/// Removes notes that are too old, of all builds.
pub(crate) async fn remove_old_notes(pool: &PgPool) -> Result<(), sqlx::Error> {
    let removing = sqlx::query("DELETE FROM gnomon.row_changes WHERE noted_at < clock_timestamp() - $1")
        .bind(NOTES_KEPT)
        .execute(pool);
    within(ANSWER_TIMEOUT, "the removal of notes of changed rows", removing).await.map(drop)
}

/// Says that somebody follows a build, for [`FOLLOWED_FOR`].
pub(crate) async fn say_followed(pool: &PgPool, build: BuildId) -> Result<(), sqlx::Error> {
    let saying = async {
        let mut transaction = crate::postgres::begin(pool).await?;
        sqlx::query("SELECT set_config('lock_timeout', $1, true)")
            .bind(LOCK_TIMEOUT)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE gnomon.subscriptions SET followed_until = clock_timestamp() + $2
             WHERE subscription = $1",
        )
        .bind(build)
        .bind(FOLLOWED_FOR)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    };
    within(ANSWER_TIMEOUT, "the mark that a build is followed", saying).await
}

/// The build that queries read, for those who follow its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FollowedBuild {
    pub(crate) build: BuildId,
    pub(crate) number: BuildNumber,
    pub(crate) checkpoint: Position,
    /// Which rows it has.
    pub(crate) contents: Uuid,
}

struct FollowedRow {
    build: Option<BuildId>,
    number: Option<BuildNumber>,
    checkpoint: Option<Position>,
    contents: Option<Uuid>,
}

sql_row!(FollowedRow { build, number, checkpoint, contents });

/// The active build of a projection. `None` if there is no such projection; `Some(None)` if none of its builds is active.
pub(crate) async fn followed_build(
    connection: impl sqlx::PgExecutor<'_>,
    projection: &Identifier,
) -> Result<Option<Option<FollowedBuild>>, sqlx::Error> {
    let row: Option<FollowedRow> = sqlx::query_as(
        "SELECT build, number, checkpoint, contents FROM gnomon.projections
         LEFT JOIN gnomon.builds ON projection = name AND role = 'active'
         LEFT JOIN gnomon.subscriptions ON subscription = build
         WHERE name = $1",
    )
    .bind(projection)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let FollowedRow { build, number, checkpoint, contents } = row;
        match (build, number, checkpoint, contents) {
            (Some(build), Some(number), Some(checkpoint), Some(contents)) => {
                Some(FollowedBuild { build, number, checkpoint, contents })
            }
            _ => None,
        }
    }))
}

struct NotedRow {
    contents_before: Uuid,
    contents: Uuid,
    keys: String,
}

sql_row!(NotedRow { contents_before, contents, keys });

/// The keys of the rows that have changed, by table, each once. Of a table of which more than was asked for have changed, one more is there.
pub(crate) type ChangesBetween = BTreeMap<String, BTreeSet<Vec<String>>>;

/// The keys of all rows that may differ between two contents of a build, of each table so many and one more at most. `None` if that is not known, since
/// not all commits between them are noted. In the snapshot in which `to` are the contents of the build.
///
/// Thousands of notes may lead from one to the other: one of them is in memory at a time.
pub(crate) async fn changes_between(
    connection: &mut PgConnection,
    build: BuildId,
    [from, to]: [Uuid; 2],
    max_keys: usize,
) -> Result<Option<ChangesBetween>, sqlx::Error> {
    let mut changes = ChangesBetween::new();
    if from == to {
        return Ok(Some(changes));
    }
    let mut notes = sqlx::query_as(
        "SELECT contents_before, contents, keys FROM gnomon.row_changes
         WHERE build = $1 AND change >= (SELECT max(change) FROM gnomon.row_changes WHERE build = $1 AND contents_before = $2)
         ORDER BY change",
    )
    .bind(build)
    .bind(from)
    .fetch(connection);
    // Where the notes lead, as far as they do. All of them are read: the connection is used again.
    let mut at = Some(from);
    while let Some(NotedRow { contents_before, contents, keys }) = notes.try_next().await? {
        // A note that this program cannot read is as good as none.
        let noted = serde_json::from_str(&keys).ok().filter(|_| at == Some(contents_before));
        at = noted.is_some().then_some(contents);
        for (table, keys) in noted.into_iter().flat_map(|ChangedKeys(tables)| tables) {
            let changed = changes.entry(table).or_default();
            for key in keys {
                if changed.len() <= max_keys {
                    changed.insert(key);
                }
            }
        }
    }
    Ok((at == Some(to)).then_some(changes))
}
