//! Migrations of the schema `gnomon`.

use sqlx::{
    Connection, Executor, PgConnection, PgPool, Row,
    migrate::{MigrateError as SqlxError, Migrator},
};
use tracing::{info, warn};

use super::{
    grants::{Owners, become_owner, grant, owners},
    migrations::migrator,
    session::connect_beside,
    sqlstate::is_lock_timeout,
};

/// The schemas that every host needs. Either may have been made by somebody else, as long as it is empty or Gnomon's.
const SCHEMAS: [&str; 2] = ["gnomon", "read_models"];

/// The name of the lock that hosts hold while they make schemas: `GNOM`, `SCHE`.
pub(super) const LOCK: i64 = 0x474e_4f4d_5343_4845;

/// How long a migration waits for a lock: for another host that migrates, or for a table that somebody uses.
pub(super) const LOCK_TIMEOUT: &str = "60s";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database knows a migration that this program does not.
    #[error(
        "the database was migrated by a newer Gnomon (migration {0} is unknown here); run that version, or a newer one"
    )]
    Newer(i64),
    /// A migration was applied to the database in another form than this program has.
    #[error("migration {0} was applied to the database in another form; this program cannot use the database")]
    Changed(i64),
    /// A schema has tables of somebody else.
    #[error(
        "the schema {schema} has {found}, which is not Gnomon's: move that to another schema, or give Gnomon another database"
    )]
    Occupied {
        /// The schema.
        schema: &'static str,
        /// A table or view in it.
        found: String,
    },
    /// The role lacks rights.
    #[error(
        "the role {role} lacks rights that Gnomon needs. Let the owner of the database, or a superuser, run: {}",
        statements.join("; ")
    )]
    Rights {
        /// The role.
        role: String,
        /// Statements that grant them.
        statements: Vec<String>,
    },
    /// The tables belong to another role.
    #[error(
        "the table gnomon.{table} belongs to the role {owner}, not to {role}: connect as {owner}, or let a superuser run GRANT {owner} TO \
         {role}; after a restore, use pg_restore --no-owner --role={role}"
    )]
    Owner {
        /// One of the tables.
        table: String,
        /// Its owner.
        owner: String,
        /// The role that the host connects as.
        role: String,
    },
    /// Migrations are due, and this role is that of hosts, which may not apply them.
    #[error(
        "migrations are due: the database has {}, and this program needs {known}. The role {role} may only work with the schema gnomon: run `gnomon \
         migrate` with a login of the role {owner} first, and then start the host",
        applied.map_or_else(|| "none".to_owned(), |applied| applied.to_string())
    )]
    Due {
        /// The newest that was applied.
        applied: Option<i64>,
        /// The newest that this program knows.
        known: i64,
        /// The role that this session has, quoted.
        role: String,
        /// The role that owns the schema, quoted.
        owner: String,
    },
    /// A lock was not free in time.
    #[error(
        "the schema cannot be brought up to date, since another session has held a lock for {LOCK_TIMEOUT}: another host that migrates, or \
         whoever uses a table of the schema gnomon; `SELECT * FROM pg_stat_activity` shows both. Start the host again when it is done"
    )]
    Locked,
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Failed(SqlxError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        if is_lock_timeout(&error) { Self::Locked } else { Self::Failed(SqlxError::Execute(error)) }
    }
}

/// Brings schema `gnomon` up to date, and returns its version. Several hosts may do so at once: an advisory lock lets one at a
/// time migrate. Schemas that are missing are made; empty ones that somebody else has made are used.
///
/// A session that has the role of hosts, and not that of the owner, changes nothing: it only looks whether the schema is up to date.
///
/// # Errors
/// The database belongs to a newer Gnomon or to something else, the role lacks rights, or a migration failed. The migrations before that
/// one stay applied, and of that one nothing.
pub async fn migrate(pool: &PgPool) -> Result<i64, MigrateError> {
    let version = run(pool, &migrator()).await?;
    info!(version, "the database schema is up to date");
    Ok(version)
}

/// Brings the schema to an earlier version, as a host of that time did.
#[cfg(test)]
pub(crate) async fn migrate_to(pool: &PgPool, version: i64) -> Result<i64, MigrateError> {
    let all = migrator();
    let earlier = all.iter().filter(|migration| migration.version <= version).cloned().collect::<Vec<_>>();
    run(pool, &Migrator { migrations: earlier.into(), ..all }).await
}

/// Applies the migrations that are missing, and returns the version of the last one.
async fn run(pool: &PgPool, migrator: &Migrator) -> Result<i64, MigrateError> {
    // sqlx keeps its history in the first schema of the search path, which must not be one of the user's.
    let settings = [("search_path", "gnomon"), ("lock_timeout", LOCK_TIMEOUT)];
    let mut connection = connect_beside(pool, &settings).await?;
    if let Some(Owners { owner, is_owner: false, is_host: true, .. }) = owners(&mut connection).await? {
        let known = check_up_to_date(&mut connection, migrator, owner).await?;
        connection.close().await?;
        return Ok(known);
    }
    become_owner(&mut connection).await?;
    make_schemas(&mut connection).await?;
    migrator.run(&mut connection).await.map_err(|error| match error {
        SqlxError::VersionMissing(version) => MigrateError::Newer(version),
        SqlxError::VersionMismatch(version) => MigrateError::Changed(version),
        SqlxError::Execute(error) | SqlxError::ExecuteMigration(error, _) if is_lock_timeout(&error) => {
            MigrateError::Locked
        }
        error => MigrateError::Failed(error),
    })?;
    // Of tables that are new as well.
    if let Some(Owners { host: Some(host), .. }) = owners(&mut connection).await? {
        grant(&mut connection, &host).await?;
    }
    connection.close().await?;
    Ok(migrator.iter().map(|migration| migration.version).max().unwrap_or_default())
}

/// Which migrations a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest that was applied; `None` if there is no schema yet.
    pub applied: Option<i64>,
    /// The newest that this program knows.
    pub known: i64,
    /// Why this program cannot use the database, if it cannot.
    pub trouble: Option<String>,
}

/// Tables of the first migrations without which nothing can be appended or read.
const NEEDED: [&str; 6] =
    ["gnomon.builds", "gnomon.events", "gnomon.head", "gnomon.projections", "gnomon.streams", "gnomon.subscriptions"];

/// Looks which migrations a database has, and changes nothing.
pub(super) async fn schema_state(connection: &mut PgConnection) -> Result<SchemaState, sqlx::Error> {
    let migrator = migrator();
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let applied = if is_migrated(connection).await? { applied(connection).await? } else { Vec::new() };
    let mut trouble = first_unknown(&applied, &migrator);
    if applied.is_empty() {
        for schema in SCHEMAS {
            if let Some(found) = first_relation(connection, schema).await? {
                trouble = Some(MigrateError::Occupied { schema, found });
            }
        }
    }
    let mut trouble = trouble.map(|trouble| trouble.to_string());
    if trouble.is_none() && !applied.is_empty() {
        let missing: Option<String> = sqlx::query_scalar(
            "SELECT string_agg(name, ', ' ORDER BY name) FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
        )
        .bind(NEEDED)
        .fetch_one(&mut *connection)
        .await?;
        trouble =
            missing.map(|missing| format!("missing, though a migration has made it: {missing}; restore the database"));
    }
    Ok(SchemaState { applied: applied.last().map(|(version, _)| *version), known, trouble })
}

/// The migrations that were applied, with their checksums.
async fn applied(connection: &mut PgConnection) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    let select = "SELECT version, checksum FROM gnomon._sqlx_migrations ORDER BY version";
    sqlx::query_as(select).fetch_all(connection).await
}

/// Why this program cannot use a database with these migrations, if one of them is not its own.
fn first_unknown(applied: &[(i64, Vec<u8>)], migrator: &Migrator) -> Option<MigrateError> {
    applied.iter().rev().find_map(|(version, checksum)| {
        match migrator.iter().find(|migration| migration.version == *version) {
            None => Some(MigrateError::Newer(*version)),
            Some(known) if *known.checksum != **checksum => Some(MigrateError::Changed(*version)),
            Some(_) => None,
        }
    })
}

/// Checks that nothing has to be migrated, for a role that may not; returns the version of the schema.
async fn check_up_to_date(
    connection: &mut PgConnection,
    migrator: &Migrator,
    owner: String,
) -> Result<i64, MigrateError> {
    let applied = applied(connection).await?;
    if let Some(unknown) = first_unknown(&applied, migrator) {
        return Err(unknown);
    }
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let is_due = migrator.iter().any(|known| !applied.iter().any(|(version, _)| *version == known.version));
    if is_due {
        let role = sqlx::query_scalar("SELECT quote_ident(current_user)").fetch_one(connection).await?;
        return Err(MigrateError::Due { applied: applied.last().map(|(version, _)| *version), known, role, owner });
    }
    Ok(known)
}

/// Makes the schemas that are missing, and checks that those that exist can be used.
async fn make_schemas(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    check_rights(&mut transaction).await?;
    let is_migrated_already = is_migrated(&mut transaction).await?;
    for schema in SCHEMAS {
        let exists: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(schema)
            .fetch_one(&mut *transaction)
            .await?;
        if !exists {
            // Safe: a constant.
            transaction.execute(format!("CREATE SCHEMA {schema}").as_str()).await?;
            if is_migrated_already {
                warn!(schema, "the schema was missing from the database, and is made");
            }
        } else if let Some(found) = first_relation(&mut transaction, schema).await?
            // Asked after a relation was seen: it may be the first one of a host that migrates at the same time, which is this table.
            && !is_migrated(&mut transaction).await?
        {
            return Err(MigrateError::Occupied { schema, found });
        }
    }
    Ok(transaction.commit().await?)
}

/// Whether a Gnomon has begun to migrate the database.
async fn is_migrated(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Not by `to_regclass`, which may answer from the session's cache that there is no such table, after another session has made it.
    let asked = "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'gnomon')
                     AND relname = '_sqlx_migrations')";
    sqlx::query_scalar(asked).fetch_one(connection).await
}

async fn first_relation(connection: &mut PgConnection, schema: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) ORDER BY relname LIMIT 1",
    )
    .bind(schema)
    .fetch_optional(connection)
    .await
}

/// Checks that a host can start: it may migrate, or it need not.
pub(super) async fn check_start(connection: &mut PgConnection) -> Result<(), MigrateError> {
    match owners(connection).await? {
        Some(Owners { owner, is_owner: false, is_host: true, .. }) => {
            check_up_to_date(connection, &migrator(), owner).await.map(|_| ())
        }
        _ => check_rights(connection).await,
    }
}

/// Checks all rights before anything is made, so that one message has them all.
async fn check_rights(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let row = connection
        .fetch_one(
            "SELECT quote_ident(current_user), quote_ident(current_database()),
                    has_database_privilege(current_database(), 'CREATE')",
        )
        .await?;
    let (role, database, may_create): (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let mut statements = Vec::new();
    if !may_create {
        statements.push(format!("GRANT CREATE ON DATABASE {database} TO {role}"));
    }
    for schema in SCHEMAS {
        // Null if there is no such schema.
        let may_use: Option<bool> = sqlx::query_scalar(
            "SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1",
        )
        .bind(schema)
        .fetch_optional(&mut *connection)
        .await?;
        if may_use == Some(false) {
            statements.push(format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"));
        }
    }
    if !statements.is_empty() {
        return Err(MigrateError::Rights { role, statements });
    }
    let of_others: Option<(String, String)> = sqlx::query_as(
        "SELECT relname::text, quote_ident(pg_get_userbyid(relowner)) FROM pg_class
         WHERE relnamespace = to_regnamespace('gnomon') AND relkind IN ('r', 'p') AND NOT pg_has_role(relowner, 'USAGE')
         ORDER BY relname LIMIT 1",
    )
    .fetch_optional(&mut *connection)
    .await?;
    match of_others {
        Some((table, owner)) => Err(MigrateError::Owner { table, owner, role }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
