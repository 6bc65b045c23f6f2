//! What the role of hosts may do, where it does not own the schema: see `docs/roles.md`.
//!
//! Which role that is, the database itself says: it owns the schema `read_models`, and another one owns the tables of `gnomon`. So no setting can be
//! wrong, and a restore into other roles is one more database with a single role.

use sqlx::{Executor as _, PgConnection};

/// What it may do with these tables. What is appended is neither changed nor deleted: the log, its history, and components.
const KEPT: &[(&str, &str)] = &[
    ("_sqlx_migrations", "SELECT"),
    ("event_blocks", "SELECT, INSERT, UPDATE"),
    ("event_tags", "SELECT, INSERT"),
    ("event_types", "SELECT, INSERT"),
    ("events", "SELECT, INSERT"),
    ("head", "SELECT, UPDATE"),
    ("history", "SELECT, INSERT"),
    ("module_versions", "SELECT, INSERT"),
    ("modules", "SELECT, INSERT, UPDATE"),
    ("streams", "SELECT, INSERT, UPDATE"),
];
/// Tables that it empties at once: they are made of the log again.
const EMPTIED: &[&str] = &["log_summary_categories", "log_summary_days", "log_summary_streams", "log_summary_types"];
/// What it may do with all others: work on builds, reactors and messages is written and deleted.
const WORKED_ON: &str = "SELECT, INSERT, UPDATE, DELETE";

/// Who owns what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owners {
    /// The role that owns the tables of `gnomon`, quoted.
    pub(super) owner: String,
    /// Whether this session has what that role may.
    pub(super) is_owner: bool,
    /// The role of hosts, quoted, if it is another one and may append.
    pub(super) host: Option<String>,
    /// Whether this session has what that role may.
    pub(super) is_host: bool,
}

/// Looks who owns the schema; `None` if nobody has migrated it.
pub(super) async fn owners(connection: &mut PgConnection) -> Result<Option<Owners>, sqlx::Error> {
    let row: Option<(String, bool, Option<String>, Option<bool>)> = sqlx::query_as(
        // By their names in the catalog: a role that may not use the schema may look there.
        "WITH tables AS (
             SELECT class.oid, relname, relowner FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
             WHERE nspname = 'gnomon' AND relname IN ('_sqlx_migrations', 'events')
         )
         SELECT quote_ident(pg_get_userbyid(migrations.relowner)), pg_has_role(migrations.relowner, 'USAGE'),
                quote_ident(pg_get_userbyid(host.nspowner)), pg_has_role(host.nspowner, 'USAGE')
         FROM tables AS migrations
         LEFT JOIN pg_namespace AS host ON host.nspname = 'read_models' AND host.nspowner <> migrations.relowner
              AND has_table_privilege(host.nspowner, (SELECT oid FROM tables WHERE relname = 'events'), 'INSERT')
              AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = host.nspowner AND rolsuper)
         WHERE migrations.relname = '_sqlx_migrations'",
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(owner, is_owner, host, is_host)| Owners { owner, is_owner, host, is_host: is_host == Some(true) }))
}

/// Makes this session the owner of the tables for what it does from now on, if it may: what a migration makes belongs to whom the rest belongs.
pub(super) async fn become_owner(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if let Some(Owners { owner, is_owner: true, .. }) = owners(connection).await? {
        // Safe: Postgres has quoted the name.
        connection.execute(format!("SET ROLE {owner}").as_str()).await?;
    }
    Ok(())
}

/// Lets what the transaction makes from now on belong to the role of hosts, if this session has it by a membership: hosts that log in as another one go on
/// with it. The role of the session stays what it is, since only under that it may cancel and end its own sessions.
///
/// # Errors
/// Postgres fails.
pub async fn own_by_hosts(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Not for superusers, who own what they make wherever there are no roles; and only where there are, which is where that role may append.
    sqlx::query(
        "SELECT set_config('role', host.rolname, true)
         FROM pg_namespace JOIN pg_roles AS host ON host.oid = nspowner JOIN pg_roles AS own ON own.rolname = current_user
         WHERE nspname = 'read_models' AND host.oid <> own.oid AND NOT own.rolsuper AND NOT host.rolsuper
           AND pg_has_role(own.oid, host.oid, 'MEMBER')
           AND has_table_privilege(host.oid, (
               SELECT class.oid FROM pg_class AS class JOIN pg_namespace AS log ON log.oid = relnamespace
               WHERE log.nspname = 'gnomon' AND relname = 'events'), 'INSERT')",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Grants the role of hosts exactly what it needs of the schema `gnomon`.
pub(super) async fn grant(connection: &mut PgConnection, host: &str) -> Result<(), sqlx::Error> {
    // Partitions are reached by their parent only.
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'gnomon'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname",
    )
    .fetch_all(&mut *connection)
    .await?;
    // Safe: the role was quoted by Postgres, and tables are those of migrations.
    let mut statements =
        format!("GRANT USAGE ON SCHEMA gnomon TO {host}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA gnomon TO {host};");
    for table in tables {
        let kept = KEPT.iter().find(|(name, _)| *name == table).map(|(_, rights)| *rights);
        let rights = kept.unwrap_or(WORKED_ON);
        let more = if EMPTIED.contains(&table.as_str()) { ", TRUNCATE" } else { "" };
        statements.push_str(&format!(
            "REVOKE ALL ON gnomon.\"{table}\" FROM {host}; GRANT {rights}{more} ON gnomon.\"{table}\" TO {host};"
        ));
    }
    statements.push_str(&format!("GRANT EXECUTE ON FUNCTION gnomon.add_partition(bigint, bigint) TO {host};"));
    connection.execute(statements.as_str()).await?;
    Ok(())
}
