//! Keys in a database of their own: all SQL on them.

use sqlx::{PgPool, postgres::PgConnectOptions};
use tracing::info;
use uuid::Uuid;

use super::stored_key::StoredKey;
use crate::{
    personal_data::error::{KeyStoreError, StartPersonalDataError},
    postgres::{ANSWER_TIMEOUT, begin, small_pool, within},
};

/// Connections to the store: keys are looked up in bulk, and known for some seconds.
const CONNECTIONS: u32 = 4;
/// How often a key is made for a subject that is forgotten meanwhile.
const TRIES: usize = 5;

/// The lock that keeps hosts from making the table at the same time.
const MAKING: i64 = 0x67_6e6f_6d6f_6e6b;

/// Only the host that finds it missing makes it, so that others need no right to.
const TABLE: &str = "
    CREATE SCHEMA IF NOT EXISTS gnomon_keys;
    CREATE TABLE gnomon_keys.subject_keys (
        key_id uuid PRIMARY KEY,
        -- Null once the key is destroyed: then nothing says whose it was.
        subject text COLLATE \"C\",
        -- Null once it is destroyed.
        key bytea CHECK (octet_length(key) = 32),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        forgotten_at timestamptz,
        CHECK (num_nulls(key, subject) IN (0, 2)),
        CHECK ((key IS NULL) = (forgotten_at IS NOT NULL))
    );
    CREATE UNIQUE INDEX one_key_of_a_subject ON gnomon_keys.subject_keys (subject);
    COMMENT ON TABLE gnomon_keys.subject_keys IS 'The keys of personal data in a log of Gnomon. Whoever has them, and the log, reads it.';";

/// A store in a database.
#[derive(Debug)]
pub(super) struct InPostgres {
    pool: PgPool,
}

impl InPostgres {
    pub(super) async fn open(options: PgConnectOptions) -> Result<Self, StartPersonalDataError> {
        let pool = small_pool(CONNECTIONS, options);
        let is_log = sqlx::query_scalar("SELECT to_regclass('gnomon.head') IS NOT NULL").fetch_one(&pool);
        if within(ANSWER_TIMEOUT, "the database of the keys", is_log).await.map_err(KeyStoreError::from)? {
            return Err(StartPersonalDataError::BesideALog);
        }
        make_table(&pool).await.map_err(KeyStoreError::from)?;
        Ok(Self { pool })
    }

    /// The keys of subjects, which are in their order; those that have none get one.
    pub(super) async fn of_subjects(&self, subjects: &[String]) -> Result<Vec<(String, StoredKey)>, KeyStoreError> {
        for _ in 0..TRIES {
            let found = self.find(subjects).await?;
            let missing: Vec<&str> = subjects
                .iter()
                .filter(|subject| !found.iter().any(|(known, _)| known == *subject))
                .map(String::as_str)
                .collect();
            if missing.is_empty() {
                return Ok(found);
            }
            self.make(&missing).await?;
        }
        Err(KeyStoreError::Forgotten)
    }

    async fn find(&self, subjects: &[String]) -> Result<Vec<(String, StoredKey)>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT subject, key_id, key FROM gnomon_keys.subject_keys WHERE subject = ANY ($1) ORDER BY subject",
        )
        .bind(subjects)
        .fetch_all(&self.pool);
        let rows: Vec<(String, Uuid, Vec<u8>)> = within(ANSWER_TIMEOUT, "keys of subjects", rows).await?;
        Ok(rows.into_iter().map(|(subject, id, bytes)| (subject, StoredKey { id, bytes })).collect())
    }

    /// Makes keys of subjects, unless another host does. They are durable when it returns.
    async fn make(&self, subjects: &[&str]) -> Result<(), KeyStoreError> {
        let keys = subjects.iter().map(|_| StoredKey::make()).collect::<Result<Vec<_>, _>>()?;
        let (ids, bytes): (Vec<_>, Vec<_>) = keys.into_iter().map(|key| (key.id, key.bytes)).unzip();
        let insert = sqlx::query(
            "INSERT INTO gnomon_keys.subject_keys (subject, key_id, key)
             SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[]) ON CONFLICT (subject) DO NOTHING",
        )
        .bind(subjects)
        .bind(ids)
        .bind(bytes)
        .execute(&self.pool);
        within(ANSWER_TIMEOUT, "new keys of subjects", insert).await?;
        Ok(())
    }

    /// The keys of some ids that are known; `None` if one is destroyed.
    pub(super) async fn of_ids(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, Option<StoredKey>)>, KeyStoreError> {
        let rows = sqlx::query_as("SELECT key_id, key FROM gnomon_keys.subject_keys WHERE key_id = ANY ($1)")
            .bind(ids)
            .fetch_all(&self.pool);
        let rows: Vec<(Uuid, Option<Vec<u8>>)> = within(ANSWER_TIMEOUT, "keys", rows).await?;
        Ok(rows.into_iter().map(|(id, bytes)| (id, bytes.map(|bytes| StoredKey { id, bytes }))).collect())
    }

    /// The ids of the keys of a subject.
    pub(super) async fn ids_of(&self, subject: &str) -> Result<Vec<Uuid>, KeyStoreError> {
        let ids = sqlx::query_scalar("SELECT key_id FROM gnomon_keys.subject_keys WHERE subject = $1")
            .bind(subject)
            .fetch_all(&self.pool);
        Ok(within(ANSWER_TIMEOUT, "the key of a subject", ids).await?)
    }

    /// Destroys keys.
    pub(super) async fn destroy(&self, ids: &[Uuid]) -> Result<(), KeyStoreError> {
        let update = sqlx::query(
            "UPDATE gnomon_keys.subject_keys SET key = NULL, subject = NULL, forgotten_at = clock_timestamp()
             WHERE key_id = ANY ($1) AND key IS NOT NULL",
        )
        .bind(ids)
        .execute(&self.pool);
        within(ANSWER_TIMEOUT, "the end of keys", update).await?;
        Ok(())
    }
}

async fn make_table(pool: &PgPool) -> Result<(), sqlx::Error> {
    const IS_THERE: &str = "SELECT to_regclass('gnomon_keys.subject_keys') IS NOT NULL";
    within(ANSWER_TIMEOUT, "the table of the keys", async {
        if sqlx::query_scalar(IS_THERE).fetch_one(pool).await? {
            return Ok(());
        }
        let mut transaction = begin(pool).await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MAKING).execute(&mut *transaction).await?;
        if !sqlx::query_scalar::<_, bool>(IS_THERE).fetch_one(&mut *transaction).await? {
            sqlx::raw_sql(TABLE).execute(&mut *transaction).await?;
            info!("the table of the keys of personal data is made");
        }
        transaction.commit().await
    })
    .await
}
