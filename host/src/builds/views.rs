//! The views on the active builds' tables, for SQL users.

use sqlx::{Connection, Executor, PgConnection};

use super::{build::Build, store};
use crate::{
    postgres::{
        own_by_hosts,
        sqlstate::{DEPENDENT_OBJECTS_STILL_EXIST, INVALID_TABLE_DEFINITION, has_sqlstate},
    },
    read_model::{Identifier, Table, TableSet, comment},
    runtime::view_name,
};

/// A view cannot be dropped, since a user's view or function depends on it. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the view `{view}` must be dropped for this, and {} on it: {}. Drop what depends on it, repeat this, and make it again",
    if dependents.len() == 1 { "one object depends" } else { "objects depend" },
    dependents.join(", ")
)]
pub struct ViewInUse {
    /// The view of the read model, with its schema.
    pub view: String,
    /// What depends on it, each with its kind and its schema: `view reporting.totals`.
    pub dependents: Vec<String>,
}

/// Why views are not changed.
#[derive(Debug)]
pub(super) enum ViewError {
    InUse(ViewInUse),
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for ViewError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// How long a change of a view waits for its lock, as Postgres reads it. Whoever reads the view from now on waits behind it for so long. A
/// session that has read the view in a transaction that is still open has the lock, and so has pg_dump.
const VIEW_LOCK_TIMEOUT: &str = "1s";

/// Finds out whether the views can be pointed to a build now, and leaves them as they are.
pub(super) async fn rehearse(connection: &mut PgConnection, build: &Build, tables: &TableSet) -> Result<(), ViewError> {
    // What is rolled back has no locks any more, and its timeout is as before.
    let mut inner = connection.begin().await?;
    point_to(&mut inner, build, tables).await?;
    Ok(inner.rollback().await?)
}

async fn limit_waits(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(format!("SET LOCAL lock_timeout = '{VIEW_LOCK_TIMEOUT}'").as_str()).await?;
    Ok(())
}

/// Makes a projection's views show the tables of a build, and drops the views of tables that it does not have.
pub(super) async fn point_to(connection: &mut PgConnection, build: &Build, tables: &TableSet) -> Result<(), ViewError> {
    limit_waits(connection).await?;
    own_by_hosts(&mut *connection).await?;
    let projection = &build.projection;
    let of_projection = store::description(&mut *connection, build).await?;
    let before = store::active(&mut *connection, projection).await?.found();
    for table in tables.tables() {
        let view = name(projection, table.name())?;
        let columns: Vec<String> = table.columns().iter().map(|column| column.name.quoted()).collect();
        let definition = format!(
            "VIEW {view} AS SELECT {} FROM {}.{}",
            columns.join(", "),
            tables.schema().quoted(),
            table.name().quoted(),
        );
        // CREATE OR REPLACE keeps the grants on a view and the views that users built on it, but it can only add columns.
        let mut inner = connection.begin().await?;
        match inner.execute(format!("CREATE OR REPLACE {definition}").as_str()).await {
            Ok(_) => inner.commit().await?,
            Err(error) if is_column_mismatch(&error) => {
                inner.rollback().await?;
                let grants = grants(connection, &view, table).await?;
                drop_view(connection, &view).await?;
                connection.execute(format!("CREATE {definition}").as_str()).await?;
                for grant in grants {
                    connection.execute(grant.as_str()).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        let description = table.description().or(of_projection.as_deref());
        comment(connection, "VIEW", &view, description, table).await?;
    }
    let Some(before) = before else { return Ok(()) };
    drop_views(connection, projection, &before.tables, |table| tables.table(table.as_str()).is_none()).await
}

/// The statements that grant on a view again what is granted now, but for columns that `table` does not have. Those of the role of readers are among them.
async fn grants(connection: &mut PgConnection, view: &str, table: &Table) -> Result<Vec<String>, sqlx::Error> {
    let columns: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    sqlx::query_scalar(
        "WITH granted AS (
             SELECT privilege_type AS what, grantee, is_grantable
             FROM pg_class, aclexplode(relacl) WHERE oid = $1::regclass AND grantee <> relowner
             UNION ALL
             SELECT format('%s (%I)', privilege_type, attname), grantee, is_grantable
             FROM pg_attribute, aclexplode(attacl) WHERE attrelid = $1::regclass AND NOT attisdropped AND attname = ANY ($2)
         )
         SELECT format('GRANT %s ON %s TO %s%s', what, $1, coalesce(quote_ident(rolname), 'PUBLIC'),
                       CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
         FROM granted LEFT JOIN pg_roles AS role ON role.oid = grantee WHERE grantee = 0 OR rolname IS NOT NULL",
    )
    .bind(view)
    .bind(columns)
    .fetch_all(connection)
    .await
}

/// Drops the views of the tables for which `is_dropped` holds.
pub(super) async fn drop_views(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
    is_dropped: impl Fn(&Identifier) -> bool,
) -> Result<(), ViewError> {
    limit_waits(connection).await?;
    for table in tables.tables().filter(|table| is_dropped(table.name())) {
        drop_view(connection, &name(projection, table.name())?).await?;
    }
    Ok(())
}

/// Drops a view, given by its quoted name.
async fn drop_view(connection: &mut PgConnection, view: &str) -> Result<(), ViewError> {
    // A transaction of its own, so that what depends on the view can be looked up afterwards.
    let mut inner = connection.begin().await?;
    // Safe: the name is made of checked identifiers.
    match inner.execute(format!("DROP VIEW IF EXISTS {view}").as_str()).await {
        Ok(_) => Ok(inner.commit().await?),
        Err(error) if has_sqlstate(&error, DEPENDENT_OBJECTS_STILL_EXIST) => {
            inner.rollback().await?;
            match dependents(connection, view).await? {
                none if none.is_empty() => Err(error.into()),
                dependents => Err(ViewError::InUse(ViewInUse { view: view.replace('"', ""), dependents })),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// What depends on a view or on the type of its rows, by kind and name.
async fn dependents(connection: &mut PgConnection, view: &str) -> Result<Vec<String>, sqlx::Error> {
    // A view depends by its rule, which would be called by a name that no user knows.
    sqlx::query_scalar(
        "SELECT DISTINCT (named).type || ' ' || (named).identity
         FROM (SELECT oid, reltype FROM pg_class WHERE oid = $1::regclass) AS view
         JOIN pg_depend AS depends
              ON (refclassid = 'pg_class'::regclass AND refobjid = view.oid)
              OR (refclassid = 'pg_type'::regclass AND refobjid = view.reltype)
         LEFT JOIN pg_rewrite AS rule ON classid = 'pg_rewrite'::regclass AND rule.oid = objid
         CROSS JOIN LATERAL pg_identify_object(
             CASE WHEN rule.oid IS NULL THEN classid ELSE 'pg_class'::regclass END,
             coalesce(rule.ev_class, objid),
             CASE WHEN rule.oid IS NULL THEN objsubid ELSE 0 END) AS named
         WHERE deptype = 'n' AND coalesce(rule.ev_class, objid) <> view.oid
         ORDER BY 1",
    )
    .bind(view)
    .fetch_all(connection)
    .await
}

/// The quoted name of a table's view, with its schema.
fn name(projection: &Identifier, table: &Identifier) -> Result<String, sqlx::Error> {
    let view = view_name(projection, table).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(format!("read_models.{}", view.quoted()))
}

/// Whether a view cannot be replaced because its columns differ.
fn is_column_mismatch(error: &sqlx::Error) -> bool {
    has_sqlstate(error, INVALID_TABLE_DEFINITION)
}
