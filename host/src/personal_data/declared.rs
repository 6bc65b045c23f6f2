//! What is declared as personal data: all SQL on it, and what a host knows of it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gnomon_values::Instant as Timestamp;
use sqlx::PgPool;
use tokio::time::Instant;
use tracing::debug;

use super::{
    declaration::Declaration,
    ttl::{MARGIN, PERSONAL_DATA_TTL},
};
use crate::postgres::{ANSWER_TIMEOUT, Backoff, PgTimestamp, begin, is_transient, sql_row, within};

/// Types of events that have a declaration, or had one, at most.
pub const MAX_DECLARED_TYPES: usize = 1000;

/// How often a host looks what is declared, so that no append has to wait for a look.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A type of events with personal fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredType {
    /// The type.
    pub event_type: String,
    /// Its fields.
    pub declaration: Declaration,
    /// When they were declared.
    pub declared_at: Timestamp,
    /// Every event behind this position is encrypted so; `None` while there may be hosts that do not know of it yet.
    pub since: Option<u64>,
}

/// A type that has personal fields, or had.
#[derive(Clone, Debug)]
pub(super) struct KnownType {
    pub(super) declaration: Declaration,
    pub(super) declared_at: Timestamp,
    /// Whether what is appended is encrypted: not before all hosts must know of it, and not once it is removed.
    pub(super) is_sealed: bool,
    /// No event up to this position is encrypted.
    pub(super) after: u64,
}

pub(super) type KnownTypes = HashMap<String, KnownType>;

/// Why a declaration is not stored.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// There are as many as may be.
    #[error("{MAX_DECLARED_TYPES} types of events have personal fields, or had, and no more may (max_declared_types)")]
    TooMany,
    /// A host without keys declares nothing.
    #[error(
        "this host has no place for the keys of personal data, so nothing can be declared; start all hosts with --personal-data-keys \
         (GNOMON_PERSONAL_DATA_KEYS), then declare it"
    )]
    NoKeys,
    /// Nothing is declared of the type.
    #[error("nothing is declared as personal data of the type `{0}`")]
    Unknown(String),
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

struct Row {
    event_type: String,
    declaration: String,
    declared_at: PgTimestamp,
    since: Option<i64>,
}

sql_row!(Row { event_type, declaration, declared_at, since });

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "event_type, declaration::text AS declaration, declared_at, since"
    };
}

/// What is declared, as this host knows it.
#[derive(Debug)]
pub(super) struct Declared {
    pool: PgPool,
    known: RwLock<(Arc<KnownTypes>, Instant)>,
    began: Instant,
    /// Until so many milliseconds after the beginning it is known that nothing was ever declared.
    nothing_until: AtomicU64,
}

impl Declared {
    /// Looks what is declared, and goes on to look.
    pub(super) async fn start(pool: PgPool) -> Result<Arc<Self>, sqlx::Error> {
        let began = Instant::now();
        let known = RwLock::new((Arc::default(), began));
        let declared = Arc::new(Self { pool, known, began, nothing_until: AtomicU64::new(0) });
        declared.look().await?;
        tokio::spawn(keep_looking(Arc::downgrade(&declared)));
        Ok(declared)
    }

    /// Whether it is known that nothing was ever declared. This is asked at each append.
    pub(super) fn is_nothing(&self) -> bool {
        self.millis(Instant::now()) < self.nothing_until.load(Ordering::Acquire)
    }

    /// What is declared, or was a few seconds ago.
    pub(super) async fn current(&self) -> Result<Arc<KnownTypes>, sqlx::Error> {
        let (known, looked) = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if looked.elapsed() < PERSONAL_DATA_TTL { Ok(known) } else { self.look().await }
    }

    /// The same, tried again for so long while Postgres is away.
    pub(super) async fn current_within(&self, timeout: Duration) -> Result<Arc<KnownTypes>, sqlx::Error> {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        let began = Instant::now();
        loop {
            match self.current().await {
                Err(error) if is_transient(&error) && began.elapsed() < timeout => {
                    tokio::time::sleep(backoff.next_pause()).await;
                }
                found => return found,
            }
        }
    }

    /// What is declared now.
    pub(super) async fn look(&self) -> Result<Arc<KnownTypes>, sqlx::Error> {
        // From before the look: what is declared from now on may not have been found.
        let now = Instant::now();
        let rows = sqlx::query_as(
            "SELECT event_type, declaration::text, declared_at, after, removed_at IS NULL AND known_at < clock_timestamp() - $1
             FROM gnomon.personal_data",
        )
        .bind(PERSONAL_DATA_TTL + MARGIN)
        .fetch_all(&self.pool);
        let rows: Vec<(String, String, PgTimestamp, i64, bool)> =
            within(ANSWER_TIMEOUT, "what is declared as personal data", rows).await?;
        let known =
            |(event_type, declaration, declared_at, after, is_sealed): (String, String, PgTimestamp, i64, bool)| {
                let (declaration, declared_at) = (read(&event_type, &declaration)?, declared_at.instant());
                Ok((event_type, KnownType { declaration, declared_at, is_sealed, after: after.unsigned_abs() }))
            };
        let types: Arc<KnownTypes> = Arc::new(rows.into_iter().map(known).collect::<Result<_, sqlx::Error>>()?);
        let mut kept = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if kept.1 <= now {
            *kept = (Arc::clone(&types), now);
            let until = if types.is_empty() { self.millis(now + PERSONAL_DATA_TTL) } else { 0 };
            self.nothing_until.store(until, Ordering::Release);
        }
        Ok(types)
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    /// Declares the fields of a type, and waits until all hosts know of it. Declared once more as they are, nothing changes.
    pub(super) async fn declare(
        &self,
        event_type: &str,
        declaration: &Declaration,
    ) -> Result<DeclaredType, DeclareError> {
        let json = declaration.to_json().map_err(|error| sqlx::Error::Encode(error.into()))?;
        let (row, is_new) = within(ANSWER_TIMEOUT, "a declaration of personal data", async {
            let mut transaction = begin(&self.pool).await?;
            // One at a time, so that there are not more than may be.
            sqlx::query("LOCK TABLE gnomon.personal_data IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
            let others: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.personal_data WHERE event_type <> $1")
                .bind(event_type)
                .fetch_one(&mut *transaction)
                .await?;
            if usize::try_from(others).is_ok_and(|others| others >= MAX_DECLARED_TYPES) {
                return Err(DeclareError::TooMany);
            }
            let is_known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM gnomon.personal_data WHERE event_type = $1)")
                .bind(event_type)
                .fetch_one(&mut *transaction)
                .await?;
            let is_new = !is_known;
            // An event that was encrypted by an earlier declaration stays behind `after`.
            let row: Row = sqlx::query_as(concat!(
                "INSERT INTO gnomon.personal_data AS known (event_type, declaration, after)
                 VALUES ($1, $2::json, (SELECT position FROM gnomon.head))
                 ON CONFLICT (event_type) DO UPDATE
                 SET declaration = excluded.declaration, removed_at = NULL,
                     declared_at = CASE WHEN known.removed_at IS NULL AND known.declaration::text = excluded.declaration::text
                                        THEN known.declared_at ELSE excluded.declared_at END,
                     since = CASE WHEN known.removed_at IS NULL AND known.declaration::text = excluded.declaration::text
                                  THEN known.since END
                 RETURNING ",
                columns!()
            ))
            .bind(event_type)
            .bind(json)
            .fetch_one(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok((row, is_new))
        })
        .await?;
        self.look().await?;
        if row.since.is_some() {
            return Ok(declared_type(row)?);
        }
        if is_new {
            // Hosts know of it, so that they can read it; and then they encrypt.
            tokio::time::sleep(PERSONAL_DATA_TTL + MARGIN).await;
            self.look().await?;
        }
        tokio::time::sleep(PERSONAL_DATA_TTL + MARGIN).await;
        Ok(self.settle(row).await?)
    }

    /// Every host knows of a declaration: notes from where on everything is encrypted so.
    async fn settle(&self, row: Row) -> Result<DeclaredType, sqlx::Error> {
        // If the wait of a first declaration was broken off, that of a repeat is not enough.
        let settled = sqlx::query_as(concat!(
            "UPDATE gnomon.personal_data SET since = coalesce(since, (SELECT position FROM gnomon.head))
             WHERE event_type = $1 AND declared_at = $2 AND removed_at IS NULL AND known_at < clock_timestamp() - $3 RETURNING ",
            columns!()
        ))
        .bind(&row.event_type)
        .bind(row.declared_at)
        .bind(2 * PERSONAL_DATA_TTL + MARGIN)
        .fetch_optional(&self.pool);
        let settled: Option<Row> = within(ANSWER_TIMEOUT, "a declaration of personal data", settled).await?;
        // It was declared otherwise meanwhile, if there is none, or too short a time ago.
        declared_type(settled.unwrap_or(row))
    }

    /// The types that have personal fields, by name.
    pub(super) async fn list(&self) -> Result<Vec<DeclaredType>, sqlx::Error> {
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM gnomon.personal_data WHERE removed_at IS NULL ORDER BY event_type"
        ))
        .fetch_all(&self.pool);
        let rows: Vec<Row> = within(ANSWER_TIMEOUT, "what is declared as personal data", rows).await?;
        rows.into_iter().map(declared_type).collect()
    }

    /// From some seconds on, events of a type are appended as they are. Those that are encrypted stay so.
    pub(super) async fn remove(&self, event_type: &str) -> Result<(), DeclareError> {
        let removed = sqlx::query(
            "UPDATE gnomon.personal_data SET removed_at = clock_timestamp() WHERE event_type = $1 AND removed_at IS NULL",
        )
        .bind(event_type)
        .execute(&self.pool);
        let removed = within(ANSWER_TIMEOUT, "a declaration of personal data", removed).await?.rows_affected();
        self.look().await?;
        if removed == 0 { Err(DeclareError::Unknown(event_type.to_owned())) } else { Ok(()) }
    }
}

fn declared_type(row: Row) -> Result<DeclaredType, sqlx::Error> {
    let Row { event_type, declaration, declared_at, since, .. } = row;
    let declaration = read(&event_type, &declaration)?;
    let (declared_at, since) = (declared_at.instant(), since.map(i64::unsigned_abs));
    Ok(DeclaredType { event_type, declaration, declared_at, since })
}

fn read(event_type: &str, declaration: &str) -> Result<Declaration, sqlx::Error> {
    Declaration::of_json(declaration).map_err(|error| {
        let message = format!("what is declared as personal data of `{event_type}` cannot be read: {error}");
        sqlx::Error::Decode(message.into())
    })
}

/// Looks again and again, for as long as somebody needs it.
async fn keep_looking(declared: Weak<Declared>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(declared) = declared.upgrade() else { return };
        if declared.pool.is_closed() {
            return;
        }
        // Whoever needs it looks, and has the error.
        if let Err(error) = declared.look().await {
            debug!(%error, "cannot look what is declared as personal data, trying again");
        }
    }
}
