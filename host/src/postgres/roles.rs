//! Making the roles under which Gnomon is migrated, runs and is read: see `docs/roles.md`.

use gnomon_values::names::{self, NameError};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

use super::{
    grants::grant,
    migrate::{LOCK, LOCK_TIMEOUT},
    session::connect_beside,
    sqlstate::is_lock_timeout,
};

/// The longest prefix with which each name is one of Postgres.
const MAX_PREFIX_BYTES: usize = 50;

/// The names of the roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleNames {
    /// Owns the schema `gnomon`, and migrates.
    pub owner: String,
    /// What hosts may.
    pub host: String,
    /// Reads the views of `read_models`.
    pub reader: String,
}

/// Why a text is no prefix of roles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It is not a name.
    #[error("`{0}` is not the beginning of a role's name: {1}")]
    Name(String, NameError),
    /// It is too long, or one that Postgres keeps for itself.
    #[error(
        "`{0}` cannot be the beginning of roles' names: it has more than {MAX_PREFIX_BYTES} bytes, or begins with pg_"
    )]
    Unusable(String),
}

impl RoleNames {
    /// Those with a prefix, such as `gnomon`.
    ///
    /// # Errors
    /// The names would need quotes, or be too long.
    pub fn new(prefix: &str) -> Result<Self, PrefixError> {
        names::check(prefix).map_err(|error| PrefixError::Name(prefix.to_owned(), error))?;
        if prefix.len() > MAX_PREFIX_BYTES || prefix.starts_with("pg_") {
            return Err(PrefixError::Unusable(prefix.to_owned()));
        }
        let name = |what| format!("{prefix}_{what}");
        Ok(Self { owner: name("owner"), host: name("host"), reader: name("reader") })
    }

    fn all(&self) -> [&str; 3] {
        [&self.owner, &self.host, &self.reader]
    }
}

/// What was found and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolesMade {
    /// The roles that were not there.
    pub made: Vec<String>,
    /// Roles, quoted, that owned what now belongs to the roles, and may not use it any more.
    pub former_owners: Vec<String>,
    /// The database, quoted.
    pub database: String,
}

/// Why there are no roles. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    /// The session may not do it.
    #[error(
        "the role {role} may not make roles and give them the database {database}: {missing}. Run this once as a superuser, or as the owner of the \
         database and of Gnomon's tables with CREATEROLE"
    )]
    Rights {
        /// The role, quoted.
        role: String,
        /// The database, quoted.
        database: String,
        /// What it lacks.
        missing: String,
    },
    /// A role of the name is there, and may more than these may.
    #[error("there is a role {0} already, and it is a superuser; choose other names with --role-prefix")]
    Superuser(String),
    /// A lock was not free in time.
    #[error("another session has held a table of Gnomon's for {LOCK_TIMEOUT}; stop the hosts and try again")]
    Locked,
    /// Postgres fails.
    #[error("cannot make the roles: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for RolesError {
    fn from(error: sqlx::Error) -> Self {
        if is_lock_timeout(&error) { Self::Locked } else { Self::Postgres(error) }
    }
}

/// Makes the roles that are missing and gives them what each needs of a database that is migrated, in one transaction. It may be repeated.
///
/// # Errors
/// See [`RolesError`].
pub async fn make_roles(pool: &PgPool, names: &RoleNames) -> Result<RolesMade, RolesError> {
    let mut connection = connect_beside(pool, &[("lock_timeout", LOCK_TIMEOUT)]).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let is_superuser = check(&mut transaction, names).await?;
    let mut made = Vec::new();
    for role in names.all() {
        let exists: Option<bool> = sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = $1")
            .bind(role)
            .fetch_optional(&mut *transaction)
            .await?;
        match exists {
            Some(true) => return Err(RolesError::Superuser(role.to_owned())),
            Some(false) => {}
            None => {
                // Safe: names that need no quotes, here and below.
                transaction.execute(format!("CREATE ROLE {role} NOLOGIN").as_str()).await?;
                made.push(role.to_owned());
            }
        }
    }
    let RoleNames { owner, host, reader } = names;
    let database: String =
        sqlx::query_scalar("SELECT quote_ident(current_database())").fetch_one(&mut *transaction).await?;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::integer")
        .fetch_one(&mut *transaction)
        .await?;
    // From Postgres 16 on, who makes a role is a member of it that may give it to others, and not use it.
    let may_use = if version >= 160_000 { "SET" } else { "MEMBER" };
    let (may_hand_over, may_do_all): (bool, bool) =
        sqlx::query_as("SELECT pg_has_role($1, $3), pg_has_role($1, $2, 'MEMBER')")
            .bind(owner)
            .bind(host)
            .bind(may_use)
            .fetch_one(&mut *transaction)
            .await?;
    let mut statements = String::new();
    if !may_do_all {
        // Whoever migrates may do what hosts may.
        statements.push_str(&format!("GRANT {host} TO {owner};"));
    }
    if !is_superuser && !may_hand_over {
        // Only a member may hand over what it owns.
        statements.push_str(&format!("GRANT {owner} TO CURRENT_USER;"));
    }
    statements.push_str(&format!(
        "GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {host};
         GRANT CONNECT ON DATABASE {database} TO {reader};"
    ));
    transaction.execute(statements.as_str()).await?;
    let former_owners = hand_over(&mut transaction, names).await?;
    grant(&mut transaction, host).await?;
    let statements = format!(
        "REVOKE ALL ON SCHEMA gnomon FROM PUBLIC;
         GRANT USAGE ON SCHEMA read_models TO {reader};
         GRANT SELECT ON ALL TABLES IN SCHEMA read_models TO {reader};
         ALTER DEFAULT PRIVILEGES FOR ROLE {host} IN SCHEMA read_models GRANT SELECT ON TABLES TO {reader}"
    );
    transaction.execute(statements.as_str()).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(RolesMade { made, former_owners, database })
}

/// Checks what the session may before anything is made; returns whether it is a superuser's.
async fn check(connection: &mut PgConnection, names: &RoleNames) -> Result<bool, RolesError> {
    let (role, database, is_superuser, may_make_roles, has_roles, owns_database, stranger): (
        String,
        String,
        bool,
        bool,
        bool,
        bool,
        Option<String>,
    ) = sqlx::query_as(
        "SELECT quote_ident(current_user), quote_ident(datname), rolsuper, rolcreaterole,
                (SELECT count(*) = 3 FROM pg_roles WHERE rolname = ANY ($1)), pg_has_role(datdba, 'USAGE'),
                (SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
                 WHERE relnamespace IN (to_regnamespace('gnomon'), to_regnamespace('read_models')) AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1)
         FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()",
    )
    .bind(names.all())
    .fetch_one(connection)
    .await?;
    let missing = if is_superuser {
        None
    } else if !may_make_roles && !has_roles {
        Some("it has no CREATEROLE".to_owned())
    } else if !owns_database {
        Some("the database belongs to another role".to_owned())
    } else {
        stranger.map(|owner| format!("Gnomon's tables belong to {owner}"))
    };
    match missing {
        Some(missing) => Err(RolesError::Rights { role, database, missing }),
        None => Ok(is_superuser),
    }
}

/// Gives schemas and what is in them to the roles; returns who loses something.
async fn hand_over(connection: &mut PgConnection, names: &RoleNames) -> Result<Vec<String>, sqlx::Error> {
    let RoleNames { owner, host, .. } = names;
    // A schema of a build or a reactor is one of the host's, with all that is in it.
    let all: Vec<(String, String)> = sqlx::query_as(
        "WITH schemas AS (
             SELECT oid, nspname, nspowner, CASE nspname WHEN 'gnomon' THEN $1 ELSE $2 END AS of_role FROM pg_namespace
             WHERE nspname IN ('gnomon', 'read_models') OR nspname ~ '^(build|reactor)_[0-9]+$'
         ), found (step, kind, name, its_owner, of_role) AS (
             SELECT 1, 'SCHEMA', quote_ident(nspname), nspowner, of_role FROM schemas
             UNION ALL
             SELECT 2, CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, class.oid::regclass::text, relowner, of_role
             FROM schemas JOIN pg_class AS class ON relnamespace = schemas.oid
             -- A sequence of a column goes with its table.
             WHERE relkind IN ('r', 'p', 'v') OR relkind = 'S' AND NOT EXISTS (
                 SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype IN ('a', 'i'))
             UNION ALL
             SELECT 3, 'FUNCTION', function.oid::regprocedure::text, proowner, of_role
             FROM schemas JOIN pg_proc AS function ON pronamespace = schemas.oid
             UNION ALL
             SELECT 4, 'COLLATION', format('%I.%I', nspname, collname), collowner, of_role
             FROM schemas JOIN pg_collation ON collnamespace = schemas.oid
         )
         SELECT format('ALTER %s %s OWNER TO %s', kind, name, of_role), quote_ident(pg_get_userbyid(its_owner))
         FROM found WHERE pg_get_userbyid(its_owner) <> of_role ORDER BY step, name",
    )
    .bind(owner)
    .bind(host)
    .fetch_all(&mut *connection)
    .await?;
    let mut former_owners = Vec::new();
    for (statement, former) in all {
        connection.execute(statement.as_str()).await?;
        if !former_owners.contains(&former) {
            former_owners.push(former);
        }
    }
    // Who is a superuser or a member of the host's role goes on as before.
    sqlx::query_scalar("SELECT name FROM unnest($1::text[]) AS name WHERE NOT pg_has_role(name::regrole, $2, 'USAGE')")
        .bind(former_owners)
        .bind(host)
        .fetch_all(connection)
        .await
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
